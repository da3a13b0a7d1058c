import { DatabaseSync } from "node:sqlite";
import { migrations } from "../../src/store/migrations.gen.ts";
import { testDatabase } from "./apps.ts";
import { dialectName } from "./database.ts";

/** `table.column kind`, with a `?` when it may be null. */
export type Column = string;

function kindOf(type: string): "text" | "int" {
  return /int/i.test(type) ? "int" : "text";
}

/** The schema by SQLite's migrations, which the others are measured by. */
export function expectedColumns(): Column[] {
  const database = new DatabaseSync(":memory:");
  for (const { up } of migrations["sqlite"] ?? []) database.exec(up);
  const rows = database
    .prepare(
      `select m.name as "table", c.name as "column", c.type, c."notnull" from sqlite_schema m, pragma_table_info(m.name) c
       where m.type = 'table' and m.name like 'romancy%'`,
    )
    .all();
  database.close();
  return rows
    .map(
      (row) =>
        `${String(row["table"])}.${String(row["column"])} ${kindOf(String(row["type"]))}${row["notnull"] === 1 ? "" : "?"}`,
    )
    .toSorted();
}

export async function actualColumns(): Promise<Column[]> {
  const schema = dialectName === "postgres" ? "current_schema()" : "database()";
  const rows = await testDatabase().rows(
    `select table_name as t, column_name as c, data_type as d, is_nullable as n from information_schema.columns
     where table_schema = ${schema} and table_name like 'romancy_%' and table_name <> 'romancy_migrations'`,
  );
  return (
    rows
      .map(({ t, c, d, n }) => `${String(t)}.${String(c)} ${kindOf(String(d))}${n === "YES" ? "?" : ""}`)
      // What stands for partial indexes where there are none.
      .filter((column) => !/^romancy_instances\.(blocked_since|listed_status) /.test(column))
      .toSorted()
  );
}
