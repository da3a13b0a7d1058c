import mysql from "mysql2";
import { type Effect, outsiders, type Watcher } from "./watch.ts";

type Query = (this: object, ...args: unknown[]) => unknown;
type Callback = (error: unknown, result?: unknown, ...rest: unknown[]) => void;

/** The class is there, though the types know only its interface; pools' connections are derived from it. */
const { prototype } = (mysql as unknown as { Connection: { prototype: { query: Query; execute: Query } } }).Connection;

/** A bit of the server's status: SERVER_STATUS_IN_TRANS. */
const IN_TRANSACTION = 1;

export function watchMysql(watcher: Watcher): () => void {
  const { query, execute } = prototype;
  // What a connection told last; rows tell nothing.
  const open = new WeakMap<object, boolean>();

  const watched = (method: Query): Query =>
    function callWatched(...args) {
      const callback = args.at(-1);
      if (outsiders.has(this) || typeof callback !== "function") return method.apply(this, args);
      const call = { connection: this, text: textOf(args[0]) };
      try {
        watcher.before?.(call);
      } catch (error) {
        process.nextTick(callback, error);
        return undefined;
      }
      const answered: Callback = (error, result, ...rest) => {
        if (!error) {
          const outcomes = outcomesOf(result);
          const last = outcomes.findLast(isHeader);
          if (last) open.set(this, (last.serverStatus & IN_TRANSACTION) !== 0);
          watcher.after?.(call, effectOf(outcomes, open.get(this) ?? false));
        }
        (callback as Callback)(error, result, ...rest);
      };
      return method.apply(this, [...args.slice(0, -1), answered]);
    };

  prototype.query = watched(query);
  prototype.execute = watched(execute);
  return () => {
    prototype.query = query;
    prototype.execute = execute;
  };
}

function textOf(query: unknown): string {
  return typeof query === "string" ? query : (query as { sql: string }).sql;
}

interface Header {
  readonly affectedRows: number;
  readonly serverStatus: number;
}

function isHeader(outcome: unknown): outcome is Header {
  return typeof outcome === "object" && outcome !== null && "serverStatus" in outcome;
}

/** One for each statement: a header, or rows. */
function outcomesOf(result: unknown): unknown[] {
  const isList = Array.isArray(result) && result.some((part) => Array.isArray(part) || isHeader(part));
  return isList ? result : [result];
}

function effectOf(outcomes: readonly unknown[], open: boolean): Effect {
  const changed = outcomes.some((outcome) => isHeader(outcome) && outcome.affectedRows > 0);
  return { statements: outcomes.length, changed, open };
}
