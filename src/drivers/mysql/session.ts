/**
 * A transaction that users' code shares: it takes a connection when it is asked for, and begins by itself.
 *
 * MySQL ends a transaction without being told to, at a deadlock or a statement that defines a table, and statements
 * after that would be durable one by one. So autocommit is off as long as the session lasts, and a savepoint that was
 * set at the beginning tells at the end whether it is still the same transaction.
 */
import type { Row, SharedTransaction } from "../../store/database.ts";
import type { Bindable, SqlValue } from "../../store/sql.ts";
import type { Compiled } from "../../store/statement.ts";
import { facadeOf } from "../facade.ts";
import { SessionConnection } from "../session-connection.ts";
import type { MysqlClient } from "./client.ts";
import { MysqlConnection } from "./connection.ts";
import { isConnectionLost } from "./errors.ts";

const MARK = "romancy_session";

export class MysqlSession implements SharedTransaction {
  readonly client: unknown;
  readonly #own: SessionConnection<MysqlClient>;

  constructor(open: () => Promise<MysqlClient>) {
    this.#own = new SessionConnection<MysqlClient>({
      open,
      begin: async (client) => {
        await client.query({ sql: "set autocommit = 0" });
        await client.query({ sql: `savepoint ${MARK}` });
      },
      release: (client, isBroken) => (isBroken ? client.destroy() : client.release()),
    });
    const { connected } = this.#own;
    const behind = connected.then(({ connection }) => connection);
    behind.catch(() => {});
    const isOver = (): boolean => this.#own.isOver;
    const connection = facadeOf(behind, { methods: METHODS, parts: { promise: () => this.client }, isOver });
    this.client = facadeOf(connected, { methods: METHODS, parts: { connection }, isOver });
  }

  get begun(): Promise<void> {
    return this.#own.begun;
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
    const [result] = await (await this.#own.use()).query({ sql: text, values, rowsAsArray: false });
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

  commit(): Promise<void> {
    // Commits what is open (https://dev.mysql.com/doc/refman/8.4/en/commit.html).
    return this.#own.commit((client) => client.query({ sql: "set autocommit = 1" }));
  }

  rollback(): Promise<void> {
    return this.#own.rollback(async (client) => {
      await client.query({ sql: "rollback" });
      await client.query({ sql: "set autocommit = 1" });
    });
  }

  async #connection(): Promise<MysqlConnection> {
    return new MysqlConnection(await this.#own.use(), false);
  }
}

const METHODS = ["query", "execute"];
