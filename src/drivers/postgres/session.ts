/** A transaction that users' code shares: it takes a connection when it is asked for, and begins by itself. */
import { SessionError } from "../../core/errors.ts";
import type { Row, SharedTransaction } from "../../store/database.ts";
import type { Bindable, SqlValue } from "../../store/sql.ts";
import type { Compiled } from "../../store/statement.ts";
import { facadeOf } from "../facade.ts";
import { within } from "../within.ts";
import type { PostgresClient } from "./client.ts";
import { PostgresConnection } from "./connection.ts";

/** Milliseconds. */
const ROLLED_BACK_WITHIN = 500;

export class PostgresSession implements SharedTransaction {
  readonly begun: Promise<void>;
  readonly client: unknown;
  readonly #connected: Promise<PostgresClient>;
  #hasBegun = false;
  #isOver = false;

  constructor(connect: () => Promise<PostgresClient>) {
    this.#connected = this.#begin(connect);
    this.begun = this.#connected.then(() => {
      this.#hasBegun = true;
    });
    // Whoever uses the session is told.
    this.begun.catch(() => {});
    this.client = facadeOf(this.#connected, { methods: ["query"], isOver: () => this.#isOver });
  }

  async all(statement: Compiled, values: readonly Bindable[]): Promise<Row[]> {
    return new PostgresConnection(await this.#connected).all(statement, values);
  }

  async run(statement: Compiled, values: readonly Bindable[]): Promise<number> {
    return new PostgresConnection(await this.#connected).run(statement, values);
  }

  async script(text: string): Promise<void> {
    await (await this.#connected).query(text);
  }

  async query(text: string, values: readonly SqlValue[]): Promise<Row[]> {
    return (await (await this.#connected).query(text, values)).rows;
  }

  async isOpen(): Promise<boolean> {
    const client = await this.#connected;
    // A statement's error comes before the news of what it did to the transaction. An empty statement waits for that.
    if (client.readyForQuery !== true) await client.query("");
    return client.getTransactionStatus?.() === "T";
  }

  async commit(): Promise<void> {
    await this.#end((client) => client.query("commit"));
  }

  async rollback(): Promise<void> {
    if (this.#isOver) return;
    // A statement of the user's may be under way that takes its time; then the connection is closed.
    const undo = (client: PostgresClient): Promise<unknown> => within(ROLLED_BACK_WITHIN, client.query("rollback"));
    const ended = this.#end(undo).catch(() => {});
    // The pool may have no connection for a long time; nothing has been written yet.
    if (this.#hasBegun) await ended;
  }

  async #begin(connect: () => Promise<PostgresClient>): Promise<PostgresClient> {
    const client = await connect();
    if (this.#isOver) {
      client.release();
      throw new SessionError("The activity's session ended before the pool had a connection for it.");
    }
    try {
      await client.query("begin");
      return client;
    } catch (error) {
      client.release(true);
      throw error;
    }
  }

  async #end(last: (client: PostgresClient) => Promise<unknown>): Promise<void> {
    this.#isOver = true;
    const client = await this.#connected;
    try {
      await last(client);
    } catch (error) {
      client.release(true);
      throw error;
    }
    client.release();
  }
}
