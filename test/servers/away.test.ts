/** A database that is there, but does not do what it should for a while: nothing fails for that. */
import { expect, it } from "vitest";
import { defineActivity, defineWorkflow } from "../../src/index.ts";
import { recordingLogger, startApp, testDatabase } from "../support/apps.ts";
import { gate, until } from "../support/wait.ts";

it("waits for a table that is gone for a while", async () => {
  const held = gate();
  let waiting = 0;
  const step = defineActivity("step", async (_, n: number) => {
    waiting++;
    await held.opened;
    return n;
  });
  const flow = defineWorkflow("flow", async (ctx, n: number) => (await step(ctx, n)) + (await step(ctx, n)));
  const logger = recordingLogger();
  const app = await startApp({ workflows: [flow], logger });
  const handles = await Promise.all(Array.from({ length: 20 }, (_, n) => flow.start(app, n)));
  await until(() => waiting === 20);
  await testDatabase().exec("alter table romancy_history rename to elsewhere");
  held.open();
  await until(() => logger.lines.some(({ message }) => message.startsWith("A commit failed")));
  await testDatabase().exec("alter table elsewhere rename to romancy_history");
  expect(await Promise.all(handles.map((handle) => handle.result()))).toEqual(handles.map((_, n) => 2 * n));
});

it("commits what is larger than one query may be", { timeout: 60_000 }, async () => {
  const large = defineActivity("large", (_, n: number) => String(n).repeat(1_300_000));
  const flow = defineWorkflow("flow", async (ctx) => {
    const results = await Promise.all(Array.from({ length: 24 }, (_, n) => large(ctx, n % 10)));
    return results.length;
  });
  const app = await startApp({ workflows: [flow] });
  expect(await (await flow.start(app)).result()).toBe(24);
});
