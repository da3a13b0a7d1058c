import { createHash } from "node:crypto";
import type { Connection, Row } from "../../store/database.ts";
import type { Bindable } from "../../store/sql.ts";
import type { Compiled } from "../../store/statement.ts";
import type { PostgresClient, PostgresQuery, PostgresResult } from "./client.ts";
import { isPlanMissing } from "./errors.ts";

/** Milliseconds after which a statement of the engine is given up, and its connection with it. */
const ANSWER_WITHIN = 15_000;

/** `bigint` (https://www.postgresql.org/docs/current/datatype-oid.html, pg_type.dat) and `integer`. */
const NUMBERS: ReadonlySet<number> = new Set([20, 23]);

/** How the engine reads rows, whatever parsers the user has set. */
export const types: NonNullable<PostgresQuery["types"]> = {
  getTypeParser: (oid) => (NUMBERS.has(oid) ? Number : String),
};

/**
 * Names of prepared statements. The server keeps the plan of a named one, and a plan that was made when tables were
 * small reads them whole. So whenever four times as many were run there is another name, and with it another plan.
 */
export class PlanNames {
  #isOn = true;
  #run = 0;
  readonly #hashes = new Map<string, string>();

  nameOf({ name, text, isPrepared }: Compiled): string | undefined {
    if (!isPrepared || !this.#isOn) return undefined;
    return `romancy.${name}.${this.#hashOf(text)}.${Math.floor(Math.log2(this.#run + 1) / 2)}`;
  }

  /** Behind a pooler others may have prepared another text: for other tables, or of another version. */
  #hashOf(text: string): string {
    let hash = this.#hashes.get(text);
    if (hash === undefined) {
      hash = createHash("sha256").update(text).digest("hex").slice(0, 16);
      this.#hashes.set(text, hash);
    }
    return hash;
  }

  /** One has been run. */
  note(): void {
    this.#run++;
  }

  /** A pooler that deals out connections per transaction does not keep them. */
  switchOff(): void {
    this.#isOn = false;
  }
}

/** The engine's statements on one connection. With names each must be a transaction of its own. */
export class PostgresConnection implements Connection {
  readonly #client: PostgresClient;
  readonly #names: PlanNames | undefined;
  readonly #answerWithin: number;

  /** @param answerWithin milliseconds */
  constructor(client: PostgresClient, names?: PlanNames, answerWithin: number = ANSWER_WITHIN) {
    this.#client = client;
    this.#names = names;
    this.#answerWithin = answerWithin;
  }

  async all(statement: Compiled, values: readonly Bindable[]): Promise<Row[]> {
    return (await this.#query(statement, values)).rows;
  }

  async run(statement: Compiled, values: readonly Bindable[]): Promise<number> {
    return (await this.#query(statement, values)).rowCount ?? 0;
  }

  async script(text: string): Promise<void> {
    await this.#client.query({ text, query_timeout: this.#answerWithin });
  }

  async #query(statement: Compiled, values: readonly Bindable[]): Promise<PostgresResult> {
    const name = this.#names?.nameOf(statement);
    const query = { text: statement.text, values, types, query_timeout: this.#answerWithin };
    if (name === undefined) return this.#client.query(query);
    try {
      const result = await this.#client.query({ ...query, name });
      this.#names?.note();
      return result;
    } catch (error) {
      if (!isPlanMissing(error)) throw error;
      this.#names?.switchOff();
      // It was not run. Nor is there a transaction that has failed with it: statements of those have no names.
      return this.#client.query(query);
    }
  }
}
