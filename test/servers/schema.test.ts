/** The schemas of the databases are one schema: the same tables, columns, kinds of values and nulls. */
import { expect, it } from "vitest";
import { openTestDatabase } from "../store/stores.ts";
import { actualColumns, expectedColumns } from "../support/columns.ts";

it("has the same tables and columns as SQLite's", async () => {
  await openTestDatabase();
  expect(await actualColumns()).toEqual(expectedColumns());
});
