/**
 * A transaction that users' code shares: it takes a connection when it is asked for, and begins by itself.
 *
 * MySQL ends a transaction without being told to, at a deadlock or a statement that defines a table, and statements
 * after that would be durable one by one. So autocommit is off as long as the session lasts, and a savepoint that was
 * set at the beginning tells at the end whether it is still the same transaction.
 */
import { SessionError } from "../../core/errors.ts";
import type { Row, SharedTransaction } from "../../store/database.ts";
import type { Bindable, SqlValue } from "../../store/sql.ts";
import type { Compiled } from "../../store/statement.ts";
import { facadeOf } from "../facade.ts";
import { within } from "../within.ts";
import type { MysqlClient } from "./client.ts";
import { MysqlConnection } from "./connection.ts";
import { isConnectionLost } from "./errors.ts";

const MARK = "romancy_session";

/** Milliseconds. */
const ROLLED_BACK_WITHIN = 500;

export class MysqlSession implements SharedTransaction {
  readonly begun: Promise<void>;
  readonly client: unknown;
  readonly #connected: Promise<MysqlClient>;
  #hasBegun = false;
  #isOver = false;

  constructor(connect: () => Promise<MysqlClient>) {
    this.#connected = this.#begin(connect);
    this.begun = this.#connected.then(() => {
      this.#hasBegun = true;
    });
    // Whoever uses the session is told.
    this.begun.catch(() => {});
    const behind = this.#connected.then(({ connection }) => connection);
    behind.catch(() => {});
    const isOver = (): boolean => this.#isOver;
    const connection = facadeOf(behind, { methods: METHODS, parts: { promise: () => this.client }, isOver });
    this.client = facadeOf(this.#connected, { methods: METHODS, parts: { connection }, isOver });
  }

  async all(statement: Compiled, values: readonly Bindable[]): Promise<Row[]> {
    return (await this.#connection()).all(statement, values);
  }

  async run(statement: Compiled, values: readonly Bindable[]): Promise<number> {
    return (await this.#connection()).run(statement, values);
  }

  async script(text: string): Promise<void> {
    await (await this.#connection()).script(text);
  }

  async query(text: string, values: readonly SqlValue[]): Promise<Row[]> {
    const [result] = await (await this.#connected).query({ sql: text, values, rowsAsArray: false });
    return Array.isArray(result) ? result : [];
  }

  async isOpen(): Promise<boolean> {
    try {
      await this.script(`release savepoint ${MARK}`);
      return true;
    } catch (error) {
      if (isConnectionLost(error)) throw error;
      return false;
    }
  }

  async commit(): Promise<void> {
    // Commits what is open (https://dev.mysql.com/doc/refman/8.4/en/commit.html).
    await this.#end((client) => client.query({ sql: "set autocommit = 1" }));
  }

  async rollback(): Promise<void> {
    if (this.#isOver) return;
    // A statement of the user's may be under way that takes its time; then the connection is closed.
    const undo = async (client: MysqlClient): Promise<void> => {
      await client.query({ sql: "rollback" });
      await client.query({ sql: "set autocommit = 1" });
    };
    const ended = this.#end((client) => within(ROLLED_BACK_WITHIN, undo(client))).catch(() => {});
    // The pool may have no connection for a long time; nothing has been written yet.
    if (this.#hasBegun) await ended;
  }

  async #connection(): Promise<MysqlConnection> {
    return new MysqlConnection(await this.#connected, false);
  }

  async #begin(connect: () => Promise<MysqlClient>): Promise<MysqlClient> {
    const client = await connect();
    if (this.#isOver) {
      client.release();
      throw new SessionError("The activity's session ended before the pool had a connection for it.");
    }
    try {
      await client.query({ sql: "set autocommit = 0" });
      await client.query({ sql: `savepoint ${MARK}` });
      return client;
    } catch (error) {
      client.destroy();
      throw error;
    }
  }

  async #end(last: (client: MysqlClient) => Promise<unknown>): Promise<void> {
    this.#isOver = true;
    const client = await this.#connected;
    try {
      await last(client);
    } catch (error) {
      client.destroy();
      throw error;
    }
    client.release();
  }
}

const METHODS = ["query", "execute"];
