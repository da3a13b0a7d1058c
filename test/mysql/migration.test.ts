import { expect, it } from "vitest";
import { migrations } from "../../src/store/migrations.gen.ts";
import { openTestDatabase } from "../store/stores.ts";
import { testDatabase } from "../support/apps.ts";
import { actualColumns, expectedColumns } from "../support/columns.ts";

it("is completed when it was cut off half-way", async () => {
  const [{ up } = { up: "" }] = migrations["mysql"] ?? [];
  await testDatabase().exec(up.slice(up.indexOf("CREATE"), up.indexOf(";")));
  await openTestDatabase();
  expect(await actualColumns()).toEqual(expectedColumns());
});
