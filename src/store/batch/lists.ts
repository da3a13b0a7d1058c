/** Lists of rows as tables inside a statement of PostgreSQL: one array for each column. */
import { $, type Sql } from "../sql.ts";

export type Value = string | number | null;

/** A list of rows: its name, and its columns with their types. */
export type List = readonly [name: string, columns: Readonly<Record<string, "text" | "bigint">>];

/** The list as a table in the statement: one parameter for each column; with `ordinality`, each row's place in it. */
export function rows([name, columns]: List, hasOrdinality = false): Sql<string> {
  const names = Object.keys(columns);
  const quoted = names.map((column) => `"${column}"`).join(", ");
  const end = hasOrdinality ? `) with ordinality as ${name}(${quoted}, ordinality)` : `) as ${name}(${quoted})`;
  const parts = names.flatMap((column, index) => [
    index === 0 ? "unnest(" : ", ",
    $(`${name}.${column}`),
    `::${columns[column]}[]`,
  ]);
  return { parts: [...parts, end] };
}

/** The rows' columns as array literals (https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO). */
export function arrays(
  [name, columns]: List,
  list: readonly Readonly<Record<string, Value>>[],
): Record<string, string> {
  const params: Record<string, string> = {};
  for (const [column, type] of Object.entries(columns)) {
    const write = type === "text" ? quote : String;
    const literals = list.map((row) => {
      const value = row[column];
      return value === null || value === undefined ? "NULL" : write(value);
    });
    params[`${name}.${column}`] = `{${literals.join(",")}}`;
  }
  return params;
}

const SPECIAL = /["\\]/g;

function quote(value: Value): string {
  const text = String(value);
  const isSpecial = text.includes('"') || text.includes("\\");
  return isSpecial ? `"${text.replace(SPECIAL, "\\$&")}"` : `"${text}"`;
}
