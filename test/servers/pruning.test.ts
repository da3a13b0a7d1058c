/** Who removes what has ended neither waits for others, nor takes what they hold. */
import { expect, it } from "vitest";
import { defineWorkflow } from "../../src/index.ts";
import { openStore } from "../store/stores.ts";
import { startApp, testDatabase } from "../support/apps.ts";

const leaf = defineWorkflow("leaf", () => 1);
const parent = defineWorkflow("parent", async (ctx) => leaf.with({ id: "held-child" })(ctx));

it("skips a tree of which somebody holds an instance, and takes the others", async () => {
  const app = await startApp({ workflows: [leaf, parent] });
  for (const id of ["free", "held"]) await (await leaf.with({ id }).start(app)).result();
  await (await parent.with({ id: "held-parent" }).start(app)).result();
  await testDatabase().exec("update romancy_instances set created_at = 1, completed_at = 1");

  const { store } = await openStore();
  const other = await store.begin();
  // One by one: a small table may be locked whole for several.
  for (const id of ["held", "held-child"]) {
    await other.query(`select id from romancy_instances where id = '${id}' for update`, []);
  }
  // Resolves though the other transaction is still open.
  expect(await app.prune({ olderThan: "1h" })).toEqual({ instances: 1, trees: 1 });
  await other.rollback();
  expect(await app.prune({ olderThan: "1h" })).toEqual({ instances: 3, trees: 2 });
  expect(await testDatabase().rows("select id from romancy_instances")).toEqual([]);
});

it("comes to an end when others hold instances of all that is left", async () => {
  const app = await startApp({ workflows: [leaf] });
  const trees = ["one", "two"];
  const rows = trees.flatMap((root) => [
    `('${root}', null, '${root}', 'leaf', 'completed', '[]', 1, 1, 1)`,
    // Together more than a transaction takes.
    ...Array.from(
      { length: 400 },
      (_, n) => `('${root}-${n}', '${root}', '${root}', 'leaf', 'completed', '[]', 1, 1, 1)`,
    ),
  ]);
  await testDatabase().exec(
    `insert into romancy_instances (id, parent_id, root_id, workflow, status, input, created_at, updated_at, completed_at)
     values ${rows.join(", ")}`,
  );
  const { store } = await openStore();
  const other = await store.begin();
  for (const root of trees) {
    await other.query(`select id from romancy_instances where id = '${root}-7' for update`, []);
  }
  expect(await app.prune({ olderThan: "1h" })).toEqual({ instances: 0, trees: 0 });
  await other.rollback();
  expect(await app.prune({ olderThan: "1h" })).toEqual({ instances: 802, trees: 2 });
});
