import type { Connection, Row, Text, Transaction } from "../../store/database.ts";
import type { Bindable } from "../../store/sql.ts";
import type { Compiled } from "../../store/statement.ts";
import { within } from "../within.ts";
import type { MysqlClient, MysqlOutcome, MysqlResult } from "./client.ts";
import { isConnectionLost } from "./errors.ts";

/** Milliseconds after which a statement of the engine is given up, and its connection with it. */
const ANSWER_WITHIN = 15_000;

/** The engine's statements on one connection. */
export class MysqlConnection implements Connection {
  readonly #client: MysqlClient;
  readonly #takesSeveral: boolean;
  readonly #answerWithin: number;

  /**
   * @param takesSeveral whether one query may hold several statements
   * @param answerWithin milliseconds
   */
  constructor(client: MysqlClient, takesSeveral: boolean, answerWithin: number = ANSWER_WITHIN) {
    this.#client = client;
    this.#takesSeveral = takesSeveral;
    this.#answerWithin = answerWithin;
  }

  async all({ text }: Compiled, values: readonly Bindable[]): Promise<Row[]> {
    return (await this.#query(text, values)) as Row[];
  }

  async run({ text }: Compiled, values: readonly Bindable[]): Promise<number> {
    return ((await this.#query(text, values)) as MysqlOutcome).affectedRows;
  }

  async script(text: string): Promise<void> {
    // Comments may hold semicolons; quoted texts in our scripts hold none.
    const statements = text.replace(/^\s*--.*$/gm, "").split(";");
    await this.together(
      statements.filter((statement) => statement.trim() !== "").map((part) => ({ text: part, values: [] })),
    );
  }

  /** Runs the statements in one round trip, if the connection can, until one fails. */
  async together(statements: readonly Text[]): Promise<void> {
    if (this.#takesSeveral) {
      const values = statements.flatMap((statement) => statement.values);
      await this.#query(statements.map(({ text }) => text).join("; "), values);
    } else {
      for (const { text, values } of statements) await this.#query(text, values);
    }
  }

  async #query(text: string, values: readonly Bindable[]): Promise<MysqlResult> {
    const [result] = await within(this.#answerWithin, this.#client.query({ sql: text, values, ...AS_ROWS }));
    return result;
  }
}

const NUMBERS: ReadonlySet<string> = new Set(["TINY", "SHORT", "LONG", "LONGLONG", "INT24", "NEWDECIMAL", "DOUBLE"]);

/** Whole numbers become numbers and texts become texts. */
function typeCast(field: { readonly type: string; string(): string | null }): unknown {
  const text = field.string();
  return text !== null && NUMBERS.has(field.type) ? Number(text) : text;
}

/** How the engine reads rows, whatever the user's pool does. */
export const AS_ROWS: { readonly typeCast: typeof typeCast; readonly rowsAsArray: false } = {
  typeCast,
  rowsAsArray: false,
};

/** What begins a transaction of the engine: it locks the rows that it means, and no gaps between them. */
const BEGIN: readonly Text[] = [
  { text: "set transaction isolation level read committed", values: [] },
  { text: "start transaction", values: [] },
];

/** A transaction of the engine. */
export class MysqlTransaction extends MysqlConnection implements Transaction {
  readonly #release: (isBroken: boolean) => void;
  #isOver = false;

  constructor(client: MysqlClient, takesSeveral: boolean, release: (isBroken: boolean) => void) {
    super(client, takesSeveral);
    this.#release = release;
  }

  async begin(): Promise<void> {
    try {
      await this.together(BEGIN);
    } catch (error) {
      this.#end(true);
      throw error;
    }
  }

  async commit(): Promise<void> {
    try {
      await this.script("commit");
    } catch (error) {
      this.#end(true);
      throw error;
    }
    this.#end(false);
  }

  async rollback(): Promise<void> {
    // After a commit that failed there is nothing left to roll back.
    if (this.#isOver) return;
    try {
      await this.script("rollback");
      this.#end(false);
    } catch {
      this.#end(true);
    }
  }

  #end(isBroken: boolean): void {
    this.#isOver = true;
    this.#release(isBroken);
  }
}

/**
 * Runs the statements as a transaction.
 *
 * @param limit characters of one query; a transaction that is larger takes several
 */
export async function transact(
  client: MysqlClient,
  takesSeveral: boolean,
  statements: readonly Text[],
  limit: number,
): Promise<void> {
  const connection = new MysqlConnection(client, takesSeveral);
  try {
    for (const query of queriesOf([...BEGIN, ...statements, { text: "commit", values: [] }], limit)) {
      await connection.together(query);
    }
  } catch (error) {
    if (!isConnectionLost(error)) await connection.script("rollback");
    throw error;
  }
}

function queriesOf(statements: readonly Text[], limit: number): Text[][] {
  const queries: Text[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const statement of statements) {
    const { text, values } = statement;
    let length = text.length;
    for (const value of values) length += typeof value === "string" ? value.length : 20;
    if (size + length > limit) {
      queries.push([]);
      size = 0;
    }
    queries.at(-1)?.push(statement);
    size += length;
  }
  return queries;
}
