/** Migrations, as any database has them. */
import { describe, expect, it } from "vitest";
import { migrations } from "../../src/store/migrations.gen.ts";
import { testDatabase } from "../support/apps.ts";
import { dialectName } from "../support/database.ts";
import { openTestDatabase } from "./stores.ts";

describe("the schema", () => {
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
});
