/** A database that is there, but does not do what it should for a while: nothing fails for that. */
import { expect, it } from "vitest";
import { AppStateError, defineActivity, defineWorkflow, StoreError } from "../../src/index.ts";
import { holdDatabase, recordingLogger, startApp, testDatabase } from "../support/apps.ts";
import { dialectName } from "../support/database.ts";
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

it.runIf(dialectName === "mysql")("fails an instance whose one value is larger than a query may be", async () => {
  const [row] = await testDatabase().rows("select @@max_allowed_packet as packet");
  const packet = Number(row?.["packet"]);
  const large = defineActivity("large", () => "x".repeat(packet));
  const flow = defineWorkflow("flow", (ctx) => large(ctx));
  const small = defineWorkflow("small", () => "small");
  const app = await startApp({ workflows: [flow, small], maxValueBytes: 2 * packet });
  const handle = await flow.start(app);
  await expect(handle.result()).rejects.toThrow(expect.objectContaining({ cause: expect.any(StoreError) }) as Error);
  expect(await (await small.start(app)).result()).toBe("small");
});

it("tells who starts an instance that the app was shut down before it was there", async () => {
  const flow = defineWorkflow("flow", () => "done");
  const app = await startApp({ workflows: [flow], shutdownTimeout: 100 });
  await (await flow.start(app)).result();
  const hold = await holdDatabase();
  const starting = flow.start(app).catch((error: unknown) => error);
  await hold.waitedFor();
  await app.shutdown();
  expect(await starting).toBeInstanceOf(AppStateError);
  await hold.release();
});
