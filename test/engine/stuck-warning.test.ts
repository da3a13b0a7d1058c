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
  expect(logger.lines).toMatchObject([{ level: "warn", message: expect.stringContaining(`(instance ${id})`) }]);
  expect(logger.lines[0]?.message).toContain("Its last operation was step:1");
});
