import { describe, expect, it } from "vitest";
import { defineActivity, defineWorkflow, ValidationError } from "../../src/index.ts";
import { startApp } from "../support/apps.ts";
import { gate, until } from "../support/wait.ts";

describe("sleep", () => {
  it("is set aside, nobody's, until a deadline that the history keeps", async () => {
    const flow = defineWorkflow("flow", (ctx) => ctx.sleep("30 days"));
    const app = await startApp({ workflows: [flow] });
    const handle = await flow.start(app);
    await until(async () => (await handle.status()) === "waiting");
    const { waitingFor, workerId, createdAt } = await handle.describe();
    expect(workerId).toBeUndefined();
    const [wait] = waitingFor;
    expect(wait).toMatchObject({ kind: "timer", operationId: "sleep:1" });
    // Both by the clock that the app takes for the database's, which may be some milliseconds from this machine's.
    expect(Number(wait?.until) - createdAt.getTime()).toBeGreaterThanOrEqual(30 * 86_400_000);
    const [started] = await app.getHistory(handle.id);
    expect(started).toMatchObject({ kind: "timer_started", fireAt: wait?.until });
  });

  it("ends no earlier than asked for", async () => {
    const elapsed: number[] = [];
    const flow = defineWorkflow("flow", async (ctx, milliseconds: number) => {
      const before = ctx.now();
      await ctx.sleep(milliseconds);
      elapsed.push(ctx.now() - before - milliseconds);
    });
    const app = await startApp({ workflows: [flow] });
    const handles = await Promise.all([0, 1, 5, 17, 40].map((milliseconds) => flow.start(app, milliseconds)));
    await Promise.all(handles.map((handle) => handle.result()));
    expect(elapsed).toHaveLength(5);
    expect(Math.min(...elapsed)).toBeGreaterThanOrEqual(0);
  });

  it("until a date in the past ends at once, and uses up an id like any other", async () => {
    const flow = defineWorkflow("flow", async (ctx) => {
      await ctx.sleepUntil(new Date(0));
      await ctx.sleep(5);
      await ctx.sleepUntil(new Date(ctx.now() + 5));
    });
    const app = await startApp({ workflows: [flow], maxParkedInstances: 0 });
    const handle = await flow.start(app);
    await handle.result();
    const fired = (await app.getHistory(handle.id)).filter(({ kind }) => kind === "timer_fired");
    expect(fired.map(({ operationId }) => operationId)).toEqual(["sleep:1", "sleep:2", "sleep:3"]);
  });

  it("refuses what is not a duration or a date", async () => {
    const flow = defineWorkflow("flow", async (ctx, value: unknown) => {
      const refusal = await (value === "date"
        ? ctx.sleepUntil(new Date(Number.NaN))
        : ctx.sleep(value as number)
      ).catch((error: unknown) => error);
      return refusal instanceof ValidationError;
    });
    const app = await startApp({ workflows: [flow] });
    for (const value of [-1, "soon", null, 1e300, "date"]) {
      expect(await (await flow.start(app, value)).result()).toBe(true);
    }
  });

  it("races with an activity in memory, and several timers fire in the order of their deadlines", async () => {
    const held = gate();
    const hold = defineActivity("hold", async () => {
      await held.opened;
      return "activity";
    });
    const flow = defineWorkflow("flow", async (ctx) => {
      const activity = hold(ctx);
      const order: number[] = [];
      const timers = [30, 10, 20].map((ms) => ctx.sleep(ms).then(() => void order.push(ms)));
      const first = await Promise.race([activity, ...timers]);
      await Promise.all(timers);
      held.open();
      return { first, order, last: await activity };
    });
    const app = await startApp({ workflows: [flow] });
    expect(await (await flow.start(app)).result()).toEqual({ order: [10, 20, 30], last: "activity" });
  });

  it("wakes many at once, without losing one", async () => {
    const flow = defineWorkflow("flow", async (ctx, at: number) => {
      await ctx.sleepUntil(new Date(at));
      return at;
    });
    const app = await startApp({ workflows: [flow], maxParkedInstances: 50, maxConcurrentInstances: 100 });
    const at = Date.now() + 200;
    const handles = await Promise.all(Array.from({ length: 500 }, (_, n) => flow.start(app, at + (n % 7))));
    const results = await Promise.all(handles.map((handle) => handle.result()));
    expect(results).toEqual(Array.from({ length: 500 }, (_, n) => at + (n % 7)));
  });
});
