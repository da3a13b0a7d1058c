/** Lists of rows inside a statement of MySQL and MariaDB. */
import type { Text } from "../database.ts";
import type { Dialect } from "../dialect.ts";
import type { SqlValue } from "../sql.ts";

export type Row = Readonly<Record<string, SqlValue>>;

/** Characters of one insert: servers limit what one query may hold (`max_allowed_packet`, 1 MB and more). */
const PART = 200_000;

/** What a value that is no text takes at most, and what stands between values. */
const NUMBER = 20;
const BETWEEN = 4;

/** Rows that go into one insert each time. */
export function partsOf(rows: readonly Row[]): Row[][] {
  const parts: Row[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const row of rows) {
    const length = lengthOf(row);
    if (size + length > PART) {
      parts.push([]);
      size = 0;
    }
    parts.at(-1)?.push(row);
    size += length;
  }
  return parts;
}

function lengthOf(row: Row): number {
  let length = 0;
  for (const value of Object.values(row)) length += BETWEEN + (typeof value === "string" ? value.length : NUMBER);
  return length;
}

/** @param last an expression that ends each, if one is given */
export function tuples(columns: readonly string[], rows: readonly Row[], ...last: readonly string[]): Text {
  const tuple = `(${[...columns.map(() => "?"), ...last].join(", ")})`;
  return { text: rows.map(() => tuple).join(", "), values: valuesOf(columns, rows) };
}

/** The rows as a derived table. A `select` for each would cost the server a third more than one list of values. */
export function table(columns: readonly string[], rows: readonly Row[], { rowWord }: Dialect): Text {
  const first = `select ${columns.map((column) => `? as ${column}`).join(", ")}`;
  const next = `${rowWord}(${columns.map(() => "?").join(", ")})`;
  const others = rows.slice(1).map(() => next);
  const text = others.length > 0 ? `${first} union all values ${others.join(", ")}` : first;
  return { text: `(${text})`, values: valuesOf(columns, rows) };
}

function valuesOf(columns: readonly string[], rows: readonly Row[]): SqlValue[] {
  return rows.flatMap((row) => columns.map((column) => row[column] ?? null));
}
