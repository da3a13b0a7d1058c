import type { LiveConnection } from "../../store/database.ts";
import { within } from "../within.ts";
import type { MysqlClient } from "./client.ts";
import { AS_ROWS } from "./connection.ts";

/** Milliseconds after which a connection that gives no answer is given up. */
const ANSWER_WITHIN = 5_000;

export class MysqlLiveConnection implements LiveConnection {
  readonly closed: Promise<void>;
  readonly #client: MysqlClient;
  readonly #end: () => void;
  #isOver = false;

  constructor(client: MysqlClient) {
    this.#client = client;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#end = resolve;
    client.connection.on("error", () => this.#finish());
    client.connection.on("end", () => this.#finish());
  }

  async backend(): Promise<string> {
    return String(await this.#ask("select connection_id() as answer", []));
  }

  /** A proxy that shares backends lets a connection keep its own when it has a lock. */
  async isShared(): Promise<boolean> {
    return false;
  }

  async lock(name: string): Promise<boolean> {
    return String(await this.#ask("select get_lock(?, 0) as answer", [name])) === "1";
  }

  async close(): Promise<void> {
    this.#finish();
  }

  /** The lock must not outlive it in the pool: the connection is closed. */
  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#client.destroy();
    this.#end();
  }

  async #ask(sql: string, values: readonly string[]): Promise<unknown> {
    try {
      const [rows] = await within(ANSWER_WITHIN, this.#client.query({ sql, values, ...AS_ROWS }));
      return Array.isArray(rows) ? rows[0]?.["answer"] : undefined;
    } catch (error) {
      this.#finish();
      throw error;
    }
  }
}
