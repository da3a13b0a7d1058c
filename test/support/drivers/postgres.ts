import { Client, type QueryResult } from "pg";
import { type Call, type Effect, outsiders, type Watcher } from "./watch.ts";

type Query = (this: Client, ...args: unknown[]) => unknown;

const prototype = Client.prototype as unknown as { query: Query };

export function watchPostgres(watcher: Watcher): () => void {
  const query = prototype.query;
  prototype.query = function queryWatched(...args) {
    if (outsiders.has(this)) return query.apply(this, args);
    const call = { connection: this, text: textOf(args[0]) };
    try {
      watcher.before?.(call);
    } catch (error) {
      return fail(args.at(-1), error);
    }
    const result = query.apply(this, args);
    if (result instanceof Promise) {
      result.then(
        (answer: QueryResult | QueryResult[]) => watcher.after?.(call, effectOf(call, answer)),
        () => {},
      );
    }
    return result;
  };
  return () => {
    prototype.query = query;
  };
}

function textOf(query: unknown): string {
  return typeof query === "string" ? query : (query as { text: string }).text;
}

function fail(callback: unknown, error: unknown): unknown {
  if (typeof callback !== "function") return Promise.reject(error);
  process.nextTick(callback, error);
  return undefined;
}

function effectOf({ connection, text }: Call, answer: QueryResult | QueryResult[]): Effect {
  const results = [answer].flat();
  return {
    statements: results.length,
    changed: results.some((result) => changes(text, result)),
    open: (connection as Client).getTransactionStatus() !== "I",
  };
}

const WRITES: ReadonlySet<string> = new Set(["INSERT", "UPDATE", "DELETE", "MERGE"]);

/** A `with` that writes goes by the name of its select. What it changed it does not tell: its rows are taken for that. */
function changes(text: string, { command, rowCount }: QueryResult): boolean {
  const writes = WRITES.has(command) || (command === "SELECT" && /\b(insert into|update|delete from)\b/i.test(text));
  return writes && (rowCount ?? 0) > 0;
}
