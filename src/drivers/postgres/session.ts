/**
 * A transaction that users' code shares: it takes a connection when it is asked for, and begins by itself.
 *
 * A setting that lasts as long as the transaction tells at the end whether it is still the same one: users' code may
 * have ended it, and begun another.
 */
import type { Row, SharedTransaction } from "../../store/database.ts";
import type { Bindable, SqlValue } from "../../store/sql.ts";
import type { Compiled } from "../../store/statement.ts";
import { facadeOf } from "../facade.ts";
import { SessionConnection } from "../session-connection.ts";
import type { PostgresClient } from "./client.ts";
import { PostgresConnection, types } from "./connection.ts";
import { isTransactionFailed } from "./errors.ts";

const MARK = "romancy.session";
const BEGIN = `begin; set local ${MARK} = 'on'`;

export class PostgresSession implements SharedTransaction {
  readonly client: unknown;
  readonly #own: SessionConnection<PostgresClient>;

  constructor(open: () => Promise<PostgresClient>) {
    this.#own = new SessionConnection<PostgresClient>({
      open,
      begin: async (client) => void (await client.query(BEGIN)),
      release: (client, isBroken) => client.release(isBroken),
    });
    this.client = facadeOf(this.#own.connected, { methods: ["query"], isOver: () => this.#own.isOver });
  }

  get begun(): Promise<void> {
    return this.#own.begun;
  }

  async all(statement: Compiled, values: readonly Bindable[]): Promise<Row[]> {
    return new PostgresConnection(await this.#own.use()).all(statement, values);
  }

  async run(statement: Compiled, values: readonly Bindable[]): Promise<number> {
    return new PostgresConnection(await this.#own.use()).run(statement, values);
  }

  async script(text: string): Promise<void> {
    await (await this.#own.use()).query(text);
  }

  async query(text: string, values: readonly SqlValue[]): Promise<Row[]> {
    return (await (await this.#own.use()).query(text, values)).rows;
  }

  async isOpen(): Promise<boolean> {
    const client = await this.#own.connected;
    try {
      const { rows } = await client.query({ text: `select current_setting('${MARK}', true) as mark`, types });
      return rows[0]?.["mark"] === "on";
    } catch (error) {
      if (isTransactionFailed(error)) return false;
      throw error;
    }
  }

  commit(): Promise<void> {
    return this.#own.commit((client) => client.query("commit"));
  }

  rollback(): Promise<void> {
    return this.#own.rollback((client) => client.query("rollback"));
  }
}
