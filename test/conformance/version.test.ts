/** What is recorded of a workflow's version. */
import { expect, it } from "vitest";
import { defineWorkflow, ValidationError } from "../../src/index.ts";
import { startApp, testDatabase } from "../support/apps.ts";

it("is the version of the workflow that began, for instances, children and what they go on as", async () => {
  const child = defineWorkflow("child", () => 1, { version: "child-2" });
  const parent = defineWorkflow(
    "parent",
    async (ctx, rest: number): Promise<unknown> => {
      await child.with({ id: `child-${rest}` })(ctx);
      return rest > 0 ? ctx.recur(rest - 1) : "done";
    },
    { version: "parent-1" },
  );
  const plain = defineWorkflow("plain", () => 1);
  const app = await startApp({ workflows: [parent, child, plain] });
  const handle = await parent.with({ id: "parent" }).start(app, 1);
  expect(await handle.result()).toBe("done");
  await (await plain.with({ id: "plain" }).start(app)).result();

  const rows = await testDatabase().rows("select workflow, version, trace_context from romancy_instances order by id");
  expect(rows.map(({ workflow, version, trace_context: trace }) => [workflow, version, trace]).toSorted()).toEqual([
    ["child", "child-2", null],
    ["child", "child-2", null],
    ["parent", "parent-1", null],
    ["parent", "parent-1", null],
    ["plain", null, null],
  ]);
  expect((await app.getInstance("child-0")).version).toBe("child-2");
  expect((await app.getInstance("plain")).version).toBeUndefined();
});

it("is a text of 1 to 200 characters", () => {
  for (const version of ["", "x".repeat(201), 7 as unknown as string]) {
    expect(() => defineWorkflow("flow", () => 1, { version })).toThrow(ValidationError);
  }
});
