import type { Connection, Row, Transaction } from "../../store/database.ts";
import type { Bindable } from "../../store/sql.ts";
import type { Compiled } from "../../store/statement.ts";
import type { PostgresClient, PostgresResult } from "./client.ts";

/** Milliseconds after which a statement of the engine is given up, and its connection with it. */
const ANSWER_WITHIN = 15_000;

/** `bigint` (https://www.postgresql.org/docs/current/datatype-oid.html, pg_type.dat) and `integer`. */
const NUMBERS: ReadonlySet<number> = new Set([20, 23]);

const types = { getTypeParser: (oid: number) => (NUMBERS.has(oid) ? Number : String) };

/** The engine's statements on one connection. */
export class PostgresConnection implements Connection {
  readonly #client: PostgresClient;

  constructor(client: PostgresClient) {
    this.#client = client;
  }

  async all(statement: Compiled, values: readonly Bindable[]): Promise<Row[]> {
    return (await this.#query(statement, values)).rows;
  }

  async run(statement: Compiled, values: readonly Bindable[]): Promise<number> {
    return (await this.#query(statement, values)).rowCount ?? 0;
  }

  async script(text: string): Promise<void> {
    await this.#client.query({ text, query_timeout: ANSWER_WITHIN });
  }

  #query({ text }: Compiled, values: readonly Bindable[]): Promise<PostgresResult> {
    return this.#client.query({ text, values, types, query_timeout: ANSWER_WITHIN });
  }
}

/** A transaction of the engine. */
export class PostgresTransaction extends PostgresConnection implements Transaction {
  readonly #release: (isBroken: boolean) => void;
  #isOver = false;

  constructor(client: PostgresClient, release: (isBroken: boolean) => void) {
    super(client);
    this.#release = release;
  }

  async begin(): Promise<void> {
    await this.#end("begin isolation level read committed", false);
  }

  async commit(): Promise<void> {
    await this.#end("commit", true);
  }

  async rollback(): Promise<void> {
    // After a commit that failed there is nothing left to roll back.
    if (!this.#isOver) await this.#end("rollback", true).catch(() => {});
  }

  /** Runs the statement; the connection is free after the last one, and thrown away after one that failed. */
  async #end(text: string, isLast: boolean): Promise<void> {
    try {
      await this.script(text);
    } catch (error) {
      this.#isOver = true;
      this.#release(true);
      throw error;
    }
    if (!isLast) return;
    this.#isOver = true;
    this.#release(false);
  }
}
