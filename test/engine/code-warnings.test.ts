import { expect, it } from "vitest";
import { defineActivity, defineWorkflow } from "../../src/index.ts";
import { startTestApp } from "../../src/testing/index.ts";
import { recordingLogger } from "../support/apps.ts";

it("tells of code that awaits what is not durable, after five seconds, and of its last operation", async () => {
  const logger = recordingLogger();
  const step = defineActivity("step", () => {});
  const lost = defineWorkflow("lost", async (ctx) => {
    await step(ctx);
    await new Promise(() => {});
  });
  const asleep = defineWorkflow("asleep", (ctx) => ctx.sleep("1h"));
  await using app = await startTestApp({ workflows: [lost, asleep], logger });
  const { id } = await lost.start(app);
  await asleep.start(app);
  await app.advance("4999ms");
  expect(logger.lines).toEqual([]);
  await app.advance("1ms");
  expect(logger.lines).toMatchObject([
    {
      level: "warn",
      message: expect.stringContaining(`(instance ${id})`),
      data: { instanceId: id, workflowName: "lost", lastOperation: "step:1" },
    },
  ]);
  expect(logger.lines[0]?.message).toContain("Its last operation was step:1");
});

it("tells of activities that were called, and never begun because the code has returned", async () => {
  const logger = recordingLogger();
  let runs = 0;
  const step = defineActivity("step", () => ++runs);
  const careless = defineWorkflow("careless", async (ctx) => {
    await step(ctx);
    void step(ctx);
    void ctx.publish("news", 1);
    return "done";
  });
  const careful = defineWorkflow("careful", async (ctx) => {
    const race = await Promise.race([step(ctx), ctx.sleep("1h")]);
    return race;
  });
  await using app = await startTestApp({ workflows: [careless, careful], logger });
  const handle = await careless.start(app);
  expect(await handle.result()).toBe("done");
  await (await careful.start(app)).result();
  expect(runs).toBe(2);
  expect(logger.lines).toMatchObject([
    { level: "warn", data: { instanceId: handle.id, workflowName: "careless", activities: ["step:2"] } },
  ]);
});
