/** The kit works while a test's tools have put their own timers and clocks in the place of the real ones. */
import { mock } from "node:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { defineActivity, defineWorkflow, Romancy } from "../../src/index.ts";
import { startTestApp } from "../../src/testing/index.ts";

const attempts: number[] = [];
const flaky = defineActivity(
  "flaky",
  () => {
    attempts.push(Date.now());
    if (attempts.length < 3) throw new Error("not yet");
  },
  { timeout: "30s" },
);
const flow = defineWorkflow("flow", async (ctx) => {
  await flaky(ctx);
  await ctx.sleep("30 days");
  const { data } = await ctx.waitEvent<string>("go", { timeout: "1 day" });
  return [data, ctx.now()];
});

async function runsAsEver(): Promise<void> {
  attempts.length = 0;
  await using app = await startTestApp({ workflows: [flow], now: 1_000 });
  app.crashAt({ at: "after commit", activity: flaky });
  const handle = await flow.start(app);
  await app.untilWaiting(handle, "go");
  await app.sendEvent({ type: "go", source: "test", data: "gone" });
  expect(await handle.result()).toEqual(["gone", expect.any(Number)]);
  expect(app.now).toBeGreaterThan(30 * 86_400_000);
  expect(app.crashes).toBe(1);
}

it("with real timers", runsAsEver);

describe("with vitest's fake timers", () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: 0 });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("that stand still", async () => {
    await runsAsEver();
    expect(attempts).toEqual([0, 0, 0]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("that run away, which the app does not take for its own time", async () => {
    await using app = await startTestApp({ workflows: [flow] });
    attempts.length = 2;
    const handle = await flow.start(app);
    await app.settle();
    vi.advanceTimersByTime(365 * 86_400_000);
    await app.settle();
    expect(await handle.status()).toBe("waiting");
    await app.advance("30 days");
    expect((await handle.describe()).waitingFor).toMatchObject([{ kind: "event" }]);
  });

  it("an app that is no test app works in real time", async () => {
    const real = defineWorkflow("real", async (ctx) => {
      await ctx.sleep(5);
      return "done";
    });
    await using app = new Romancy({ database: ":memory:", workflows: [real] });
    await app.start();
    expect(await (await real.start(app)).result()).toBe("done");
  });
});

describe("with the mock timers of node:test", () => {
  beforeEach(() => {
    mock.timers.enable({ apis: ["setTimeout", "setInterval", "setImmediate", "Date"], now: 0 });
  });
  afterEach(() => {
    mock.timers.reset();
  });

  it("that stand still", async () => {
    await runsAsEver();
    expect(attempts).toEqual([0, 0, 0]);
  });

  it("that run away, which the app does not take for its own time", async () => {
    await using app = await startTestApp({ workflows: [flow] });
    attempts.length = 2;
    const handle = await flow.start(app);
    await app.settle();
    mock.timers.tick(365 * 86_400_000);
    await app.settle();
    expect(await handle.status()).toBe("waiting");
  });
});
