import type { Connection, Reply, Row, Text } from "../../store/database.ts";
import type { Bindable } from "../../store/sql.ts";
import type { Compiled } from "../../store/statement.ts";
import { within } from "../within.ts";
import type { MysqlClient, MysqlOutcome, MysqlResult } from "./client.ts";
import { isConnectionLost, TOO_LARGE } from "./errors.ts";

/** Milliseconds after which a statement of the engine is given up, and its connection with it. */
const ANSWER_WITHIN = 15_000;

interface Limits {
  /** Milliseconds until a statement is given up. */
  readonly answerWithin?: number;
  /** The most bytes of one query (`max_allowed_packet`); a server breaks the connection at a larger one. */
  readonly packet?: number;
}

/** What the server would say, had it heard it all: it is this query's fault, and trying again is of no use. */
class PacketError extends Error {
  readonly errno: number = TOO_LARGE;

  constructor(packet: number) {
    super(`The query is larger than the server's max_allowed_packet of ${packet} bytes.`);
    this.name = "PacketError";
  }
}

/** The engine's statements on one connection. */
export class MysqlConnection implements Connection {
  readonly #client: MysqlClient;
  readonly #takesSeveral: boolean;
  readonly #answerWithin: number;
  readonly #packet: number;

  /** @param takesSeveral whether one query may hold several statements */
  constructor(client: MysqlClient, takesSeveral: boolean, limits: Limits = {}) {
    this.#client = client;
    this.#takesSeveral = takesSeveral;
    this.#answerWithin = limits.answerWithin ?? ANSWER_WITHIN;
    this.#packet = limits.packet ?? Number.POSITIVE_INFINITY;
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

  /** Runs the statements until one fails, in one round trip if the connection can and the server takes as much. */
  async together(statements: readonly Text[]): Promise<Reply[]> {
    const replies: Reply[] = [];
    for (const part of queriesOf(statements, this.#takesSeveral ? this.#packet / MOST_BYTES : 0)) {
      const [first, ...others] = part;
      if (!first) continue;
      const values = part.flatMap((statement) => statement.values);
      const results = await this.#query(part.map(({ text }) => text).join("; "), values);
      const all = others.length > 0 ? (results as unknown as MysqlResult[]) : [results];
      replies.push(...all.map((result) => ("affectedRows" in result ? result.affectedRows : result)));
    }
    return replies;
  }

  async #query(text: string, values: readonly Bindable[]): Promise<MysqlResult> {
    if (isTooLarge(values, this.#packet)) throw new PacketError(this.#packet);
    const [result] = await within(this.#answerWithin, this.#client.query({ sql: text, values, ...AS_ROWS }));
    return result;
  }
}

/** Bytes beside the values, and beside each: its quotes, and a number itself. */
const OVERHEAD = 10_000;
const EACH = 4;
const NUMBER = 16;

/** Whether the values, written into a query, are larger than a packet. They are counted only if they may be. */
function isTooLarge(values: readonly Bindable[], packet: number): boolean {
  const texts = values.filter((value) => typeof value === "string");
  const others = OVERHEAD + values.length * EACH + (values.length - texts.length) * NUMBER;
  const characters = texts.reduce((sum, text) => sum + text.length, 0);
  if (others + characters < packet / MOST_BYTES) return false;
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text) + (text.match(ESCAPED)?.length ?? 0), 0);
  return others + bytes > packet;
}

/** What a character takes at most. */
const MOST_BYTES = 4;

/** What `mysql2` puts a backslash before, of what JSON has. */
const ESCAPED = /["'\\]/g;

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
export const BEGIN: readonly Text[] = [
  { text: "set transaction isolation level read committed", values: [] },
  { text: "start transaction", values: [] },
];

/** Runs the statements as a transaction. */
export async function transact(connection: MysqlConnection, statements: readonly Text[]): Promise<Reply[]> {
  try {
    const replies = await connection.together([...BEGIN, ...statements, { text: "commit", values: [] }]);
    return replies.slice(BEGIN.length, -1);
  } catch (error) {
    if (!isConnectionLost(error)) await connection.script("rollback");
    throw error;
  }
}

/** @param limit characters of one query, unless a single statement has more */
function queriesOf(statements: readonly Text[], limit: number): Text[][] {
  const queries: Text[][] = [];
  let size = 0;
  for (const statement of statements) {
    const { text, values } = statement;
    let length = text.length;
    for (const value of values) length += typeof value === "string" ? value.length : 20;
    if (queries.length === 0 || size + length > limit) {
      queries.push([]);
      size = 0;
    }
    queries.at(-1)?.push(statement);
    size += length;
  }
  return queries;
}
