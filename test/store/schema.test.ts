/** The schemas of the databases are one schema: the same tables, columns, kinds of values and nulls. */
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { migrations } from "../../src/store/migrations.gen.ts";
import { testDatabase } from "../support/apps.ts";
import { databaseKind, dialectName } from "../support/database.ts";
import { openTestDatabase } from "./stores.ts";

/** `table.column kind`, with a `?` when it may be null. */
type Column = string;

function kindOf(type: string): "text" | "int" {
  return /int/i.test(type) ? "int" : "text";
}

/** The schema by SQLite's migrations, which the others are measured by. */
function expected(): Column[] {
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

async function actual(prefix = "romancy_"): Promise<Column[]> {
  const schema = dialectName === "postgres" ? "current_schema()" : "database()";
  const rows = await testDatabase().rows(
    `select table_name as t, column_name as c, data_type as d, is_nullable as n from information_schema.columns
     where table_schema = ${schema} and table_name like '${prefix}%' and table_name <> '${prefix}migrations'`,
  );
  return rows
    .map(({ t, c, d, n }) => `${String(t)}.${String(c)} ${kindOf(String(d))}${n === "YES" ? "?" : ""}`)
    .filter((column) => !column.startsWith(`${prefix}instances.blocked_since`))
    .toSorted();
}

describe("the schema", () => {
  it.runIf(databaseKind !== "sqlite")("has the same tables and columns as SQLite's", async () => {
    await openTestDatabase();
    expect(await actual()).toEqual(expected());
  });

  it("is recorded as dbmate records it", async () => {
    await openTestDatabase();
    const versions = (await testDatabase().rows("select version from romancy_migrations")).map(
      ({ version }) => version,
    );
    expect(versions.toSorted()).toEqual((migrations[dialectName] ?? []).map(({ version }) => version).toSorted());
  });

  it("can be undone by the migrations' other halves", async () => {
    await openTestDatabase();
    for (const { down } of (migrations[dialectName] ?? []).toReversed()) {
      for (const statement of down.split(";")) if (statement.trim() !== "") await testDatabase().exec(statement);
    }
    await expect(testDatabase().rows("select 1 from romancy_instances")).rejects.toThrow(/exist|no such table/);
    await expect(testDatabase().rows("select 1 from romancy_workers")).rejects.toThrow(/exist|no such table/);
  });

  it("can be there several times under several prefixes", async () => {
    const first = await openTestDatabase({ prefix: "one_", schema: undefined });
    const second = await openTestDatabase({ prefix: "two_", schema: undefined });
    expect([first.naming.prefix, second.naming.prefix]).toEqual(["one_", "two_"]);
    expect(await testDatabase().rows("select id from one_instances")).toEqual([]);
    expect(await testDatabase().rows("select id from two_instances")).toEqual([]);
    await expect(testDatabase().rows("select 1 from romancy_instances")).rejects.toThrow(/exist|no such table/);
  });

  it.runIf(databaseKind === "postgres")("can be in a schema of its own, which is made", async () => {
    await openTestDatabase({ prefix: "romancy_", schema: "flows" });
    expect(await testDatabase().rows("select id from flows.romancy_instances")).toEqual([]);
    await expect(testDatabase().rows("select 1 from public.romancy_instances")).rejects.toThrow(/exist|no such table/);
  });

  it.runIf(dialectName === "mysql")("is completed when a migration was cut off half-way", async () => {
    const [{ up } = { up: "" }] = migrations["mysql"] ?? [];
    await testDatabase().exec(up.slice(up.indexOf("CREATE"), up.indexOf(";")));
    await openTestDatabase();
    expect(await actual()).toEqual(expected());
  });
});
