import { completing, type LiveConnection, type Row, type Transaction } from "../../store/database.ts";
import type { Compiled } from "../../store/statement.ts";
import type { PostgresClient, PostgresResult } from "./client.ts";

/** Asks who serves a connection. */
const backend: Compiled = {
  name: "backend",
  text: "select pg_backend_pid()::text as pid",
  keys: [],
  isPrepared: false,
};

/** Milliseconds after which a connection that gives no answer is given up. */
const ANSWER_WITHIN = 5_000;

/** Times that it is asked whether others are given the same backend. */
const LOOKS = 3;

/** Milliseconds in which a connection with a backend of its own answers. */
const LOOKED_WITHIN = 500;

/** Statements take turns: `pg` has one at a time under way. */
export class PostgresLiveConnection implements LiveConnection {
  readonly closed: Promise<void>;
  readonly #client: PostgresClient;
  readonly #begin: () => Promise<Transaction>;
  readonly #end: () => void;
  #last: Promise<unknown> = Promise.resolve();
  #isOver = false;

  /** @param begin a transaction on another connection */
  constructor(client: PostgresClient, begin: () => Promise<Transaction>) {
    this.#client = client;
    this.#begin = begin;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#end = resolve;
    client.on("error", () => this.#finish());
    client.on("end", () => this.#finish());
  }

  async backend(): Promise<string> {
    return pidIn((await this.#query(backend.text)).rows);
  }

  /**
   * A pooler tells its clients of a backend that is none of the server's. Where one is between, a transaction of another
   * client is given the backend that this one has just had, most likely, and so keeps it from this one's next.
   */
  async isShared(): Promise<boolean> {
    const first = await this.backend();
    if (first === String(this.#client.processID)) return false;
    for (let look = 0; look < LOOKS; look++) {
      const isKept = await completing(await this.#begin(), async (other) => {
        return pidIn(await other.all(backend, [])) !== first && (await this.#isStillServedBy(first));
      });
      if (!isKept) return true;
    }
    return false;
  }

  /** Also not when there is no answer: others who look have all backends, and each of them waits for one more. */
  async #isStillServedBy(first: string): Promise<boolean> {
    const late = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), LOOKED_WITHIN).unref());
    return (await Promise.race([this.backend(), late])) === first;
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

function pidIn([row]: readonly Row[]): string {
  return String(row?.["pid"]);
}
