import type { LiveConnection } from "../../store/database.ts";
import type { PostgresClient, PostgresResult } from "./client.ts";

/** Milliseconds after which a connection that gives no answer is given up. */
const ANSWER_WITHIN = 5_000;

/** Statements take turns: `pg` has one at a time under way. */
export class PostgresLiveConnection implements LiveConnection {
  readonly closed: Promise<void>;
  readonly #client: PostgresClient;
  readonly #end: () => void;
  #last: Promise<unknown> = Promise.resolve();
  #isOver = false;

  constructor(client: PostgresClient) {
    this.#client = client;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#end = resolve;
    client.on("error", () => this.#finish());
    client.on("end", () => this.#finish());
  }

  async backend(): Promise<string> {
    const { rows } = await this.#query("select pg_backend_pid()::text as pid");
    return String(rows[0]?.["pid"]);
  }

  async lock(name: string): Promise<boolean> {
    const { rows } = await this.#query("select pg_try_advisory_lock(hashtextextended($1, 0)) as locked", [name]);
    return rows[0]?.["locked"] === true;
  }

  async listen(channel: string, onMessage: (payload: string) => void): Promise<void> {
    this.#client.on("notification", (message) => {
      if (message.channel === channel) onMessage(message.payload ?? "");
    });
    await this.#query(`listen "${channel}"`);
  }

  async close(): Promise<void> {
    await this.#last.catch(() => {});
    this.#finish();
  }

  /** The session's lock and its channel must not outlive it in the pool: the connection is closed. */
  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#client.release(true);
    this.#end();
  }

  #query(text: string, values: readonly string[] = []): Promise<PostgresResult> {
    const result = this.#last
      .catch(() => {})
      .then(() => this.#client.query({ text, values, query_timeout: ANSWER_WITHIN }))
      .catch((error: unknown) => {
        this.#finish();
        throw error;
      });
    this.#last = result;
    return result;
  }
}
