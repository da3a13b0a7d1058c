import { describe, expect, it } from "vitest";
import {
  defineActivity,
  defineWorkflow,
  NonDeterminismError,
  type Romancy,
  type RomancyOptions,
  retryPolicies,
  TerminalError,
  type WorkflowContext,
  type WorkflowHandle,
} from "../../src/index.ts";
import { recordingLogger, startApp, testDatabase } from "../support/apps.ts";
import { gate, until } from "../support/wait.ts";

/** Nothing stays in memory while it waits: every wake-up is a replay. */
const cold: Partial<RomancyOptions> = { maxParkedInstances: 0 };

/** Where a cold instance is set aside, and goes on by replay. Not for a time, which may have passed before it was set aside. */
async function setAside(ctx: WorkflowContext): Promise<void> {
  await ctx.waitEvent("go");
}

async function goOn(app: Romancy, handle: WorkflowHandle<unknown>): Promise<void> {
  await until(async () => (await handle.status()) === "waiting");
  await app.sendEvent({ type: "go", source: "test", data: null });
}

/** Shuts the app down and starts another one on the same database. */
async function restart(app: Romancy, options: Partial<RomancyOptions>): Promise<Romancy> {
  await app.shutdown();
  return startApp(options);
}

describe("replay", () => {
  it("answers recorded operations from history and runs only what is left", async () => {
    const runs: string[] = [];
    const step = defineActivity("step", (_, name: string) => {
      runs.push(name);
      return { name };
    });
    const flow = defineWorkflow("flow", async (ctx) => {
      const first = await step(ctx, "first");
      await ctx.sleep(20);
      const second = await step(ctx, "second");
      await ctx.sleep(20);
      return [first, second, await step(ctx, "third")];
    });
    const app = await startApp({ workflows: [flow], ...cold });
    const handle = await flow.start(app);
    expect(await handle.result()).toEqual([{ name: "first" }, { name: "second" }, { name: "third" }]);
    expect(runs).toEqual(["first", "second", "third"]);
  });

  it("goes on in another app after the first was shut down in mid-wait", async () => {
    const step = defineActivity("step", (_, n: number) => n);
    const flow = defineWorkflow("flow", async (ctx) => {
      const n = await step(ctx, 1);
      await ctx.sleep(150);
      return n + (await step(ctx, 2));
    });
    const first = await startApp({ workflows: [flow] });
    const { id } = await flow.start(first);
    await until(async () => (await first.handle(flow, id).status()) === "waiting");
    const second = await restart(first, { workflows: [flow] });
    expect(await second.handle(flow, id).result()).toBe(3);
  });

  it("lets the same branch win a race again", async () => {
    const fast = defineActivity("fast", () => "fast");
    const slow = defineActivity("slow", async () => {
      await release.opened;
      return "slow";
    });
    const release = gate();
    const winners: string[] = [];
    const flow = defineWorkflow("flow", async (ctx) => {
      const loser = slow(ctx);
      const winner = await Promise.race([loser, fast(ctx)]);
      winners.push(winner);
      await loser;
      await setAside(ctx);
      return winner;
    });
    const app = await startApp({ workflows: [flow], ...cold });
    const handle = await flow.start(app);
    await until(() => winners.length === 1);
    release.open();
    await goOn(app, handle);
    expect(await handle.result()).toBe("fast");
    expect(winners).toEqual(["fast", "fast"]);
  });

  it("catches a recorded failure again, and runs `finally` once for each run of the code", async () => {
    const log: string[] = [];
    const broken = defineActivity("broken", () => Promise.reject(new TerminalError("no")));
    const flow = defineWorkflow("flow", async (ctx) => {
      try {
        await broken(ctx);
      } catch (error) {
        log.push(`caught ${(error as Error).name}`);
      }
      try {
        await setAside(ctx);
      } catch (error) {
        log.push(`leaked ${String(error)}`);
      } finally {
        log.push("finally");
      }
    });
    const app = await startApp({ workflows: [flow], ...cold });
    const handle = await flow.start(app);
    await goOn(app, handle);
    await handle.result();
    // The run that was set aside never reached its `finally`.
    expect(log).toEqual(["caught ActivityError", "caught ActivityError", "finally"]);
  });

  it("gives now, random and uuid the same values again", async () => {
    const seen: unknown[] = [];
    const flow = defineWorkflow("flow", async (ctx) => {
      seen.push([ctx.now(), ctx.random(), ctx.uuid(), ctx.uuid()]);
      await setAside(ctx);
    });
    const app = await startApp({ workflows: [flow], ...cold });
    const handle = await flow.start(app);
    await goOn(app, handle);
    await handle.result();
    expect(seen).toHaveLength(2);
    expect(seen[0]).toEqual(seen[1]);
    const [now, random, first, second] = seen[0] as [number, number, string, string];
    expect(Number.isInteger(now) && random >= 0 && random < 1).toBe(true);
    expect(first).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(second).not.toBe(first);
  });

  it("keeps the log silent while replaying and tells so", async () => {
    const logger = recordingLogger();
    const replaying: boolean[] = [];
    const flow = defineWorkflow("flow", async (ctx) => {
      ctx.log.info("before", { n: 1 });
      replaying.push(ctx.isReplaying);
      await setAside(ctx);
      ctx.log.info("after");
      replaying.push(ctx.isReplaying);
    });
    const app = await startApp({ workflows: [flow], logger, ...cold });
    const handle = await flow.start(app);
    const { id } = handle;
    await goOn(app, handle);
    await handle.result();
    expect(replaying).toEqual([false, true, false]);
    const own = logger.lines.filter(({ message }) => message === "before" || message === "after");
    expect(own).toEqual([
      { level: "info", message: "before", data: { instanceId: id, workflow: "flow", n: 1 } },
      { level: "info", message: "after", data: { instanceId: id, workflow: "flow" } },
    ]);
  });

  it("handles all and any, with members that fail", async () => {
    const step = defineActivity("step", (_, n: number) => {
      if (n < 0) throw new TerminalError(`no ${n}`);
      return n;
    });
    const flow = defineWorkflow("flow", async (ctx) => {
      const all = await Promise.all([step(ctx, 1), step(ctx, 2)]);
      const any = await Promise.any([step(ctx, -1), step(ctx, 3)]);
      const none = await Promise.any([step(ctx, -2), step(ctx, -3)]).catch((error: unknown) => error);
      await ctx.sleep(5);
      return { all, any, none: (none as AggregateError).errors.map((error: Error) => error.message) };
    });
    const app = await startApp({ workflows: [flow], ...cold });
    expect(await (await flow.start(app)).result()).toEqual({
      all: [1, 2],
      any: 3,
      none: ["Activity step:5 failed after 1 attempt: no -2", "Activity step:6 failed after 1 attempt: no -3"],
    });
  });
});

describe("code that no longer follows its history", () => {
  const runs: string[] = [];
  const step = defineActivity("step", () => void runs.push("step"));
  const other = defineActivity("other", () => void runs.push("other"));
  const original = defineWorkflow("flow", async (ctx) => {
    await step(ctx);
    await ctx.sleep("1h");
    return "original";
  });

  it.each([
    ["asks for another activity", 1, defineWorkflow("flow", async (ctx) => void (await other(ctx)))],
    ["asks for nothing", 1, defineWorkflow("flow", () => "done")],
    [
      "asks under another kind",
      2,
      defineWorkflow("flow", async (ctx) => void (await other.with({ id: "sleep:1" })(ctx))),
    ],
    ["throws early", 1, defineWorkflow("flow", () => Promise.reject(new Error("early")))],
  ])("is blocked when it %s, and goes on once it is put right", async (_, position, changed) => {
    runs.length = 0;
    const first = await startApp({ workflows: [original] });
    const { id } = await original.start(first);
    await until(async () => (await first.handle(original, id).status()) === "waiting");
    await first.shutdown();
    await wakeNow(id);

    const second = await startApp({ workflows: [changed] });
    await until(async () => (await second.handle(original, id).status()) === "blocked");
    const { error, workerId } = await second.getInstance(id);
    expect(error).toBeInstanceOf(NonDeterminismError);
    const recorded = ["activity_completed of step:1", "timer_started of sleep:1"][position - 1];
    expect(error).toMatchObject({ position, recorded });
    expect(workerId).toBeUndefined();
    expect(await second.getHistory(id)).toHaveLength(2);

    const third = await restart(second, { workflows: [original] });
    await until(async () => (await third.handle(original, id).status()) === "waiting");
    expect(await third.getInstance(id)).not.toHaveProperty("error");
    expect(runs).toEqual(["step"]);
  });
});

describe("what is not durable", () => {
  it("keeps the instance in memory, and a warning tells of it", async () => {
    const release = gate();
    const flow = defineWorkflow("flow", async () => {
      await release.opened;
      return "done";
    });
    const app = await startApp({ workflows: [flow] });
    const handle = await flow.start(app);
    expect(await handle.status()).toBe("running");
    release.open();
    expect(await handle.result()).toBe("done");
  });

  it("does not carry an instance on that was set aside: it is replayed instead", async () => {
    const outside = gate();
    const step = defineActivity("step", () => "step");
    let strayed = false;
    const flow = defineWorkflow("flow", async (ctx) => {
      const winner = await Promise.race([ctx.sleep(500).then(() => "slept"), outside.opened.then(() => "outside")]);
      strayed ||= winner === "outside";
      return [winner, await step(ctx)];
    });
    const app = await startApp({ workflows: [flow] });
    const handle = await flow.start(app);
    await until(async () => (await handle.status()) === "waiting");
    outside.open();
    await until(() => strayed);
    const ids = async (): Promise<string[]> => (await app.getHistory(handle.id)).map(({ operationId }) => operationId);
    expect(await ids()).toEqual(["sleep:1"]);
    await handle.result();
    expect(await ids()).toEqual(["sleep:1", "sleep:1", "step:1"]);
  });

  it("does not let a loser that fails late, or a failure that is awaited late, hurt anyone", async () => {
    const fail = defineActivity("fail", () => Promise.reject(new Error("late")), { retry: retryPolicies.none });
    const flow = defineWorkflow("flow", async (ctx) => {
      const early = fail(ctx);
      await ctx.sleep(20);
      await Promise.race([fail(ctx), ctx.sleep(0)]).catch(() => {});
      return early.catch((error: unknown) => (error as Error).message);
    });
    const app = await startApp({ workflows: [flow] });
    expect(await (await flow.start(app)).result()).toContain("late");
  });
});

/** Makes a waiting instance due, as an operator would by SQL. */
function wakeNow(id: string): Promise<void> {
  return testDatabase().exec("update romancy_instances set wake_at = 1 where id = ?", [id]);
}
