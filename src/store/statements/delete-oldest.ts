import type { Dialect } from "../dialect.ts";
import { $int, type Sql, sql } from "../sql.ts";

/**
 * Deletes rows of a table with a `position`, up to a limit, in the order of an index, which each database takes only in
 * words of its own.
 */
export function deleteOldest<Name extends string>(
  { name }: Dialect,
  table: string,
  where: Sql<Name>,
  order: string,
): Sql<Name | "limit"> {
  const some = sql`where ${where} order by ${order} limit ${$int("limit")}`;
  switch (name) {
    case "mysql":
      return sql`delete from ${table} ${some}`;
    case "postgres":
      return sql`delete from ${table} where position = any (array (select position from ${table} ${some}))`;
    case "sqlite":
      return sql`delete from ${table} where position in (select position from ${table} ${some})`;
  }
}
