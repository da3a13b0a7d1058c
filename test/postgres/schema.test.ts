import { expect, it } from "vitest";
import { defineWorkflow } from "../../src/index.ts";
import { startApp, testDatabase } from "../support/apps.ts";

it("can be in a schema of its own, which is made", async () => {
  const flow = defineWorkflow("flow", async (ctx) => {
    await ctx.sleep(1);
    return 1;
  });
  const app = await startApp({ workflows: [flow], schema: "flows", tablePrefix: "wf_" });
  await (await flow.with({ id: "one" }).start(app)).result();
  expect(await testDatabase().rows("select id from flows.wf_instances")).toEqual([{ id: "one" }]);
  await expect(testDatabase().rows("select 1 from public.romancy_instances")).rejects.toThrow("does not exist");
});
