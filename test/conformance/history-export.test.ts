/** Histories leave the database, and today's code is run against them elsewhere. */
import { describe, expect, it } from "vitest";
import {
  type AnyWorkflow,
  defineActivity,
  defineWorkflow,
  InstanceNotFoundError,
  NonDeterminismError,
  type Romancy,
  retryPolicies,
  TerminalError,
  WorkflowNotRegisteredError,
} from "../../src/index.ts";
import { type ReplayResult, replayCheck } from "../../src/testing/index.ts";
import { startApp } from "../support/apps.ts";
import { until } from "../support/wait.ts";

const ran: string[] = [];
const step = defineActivity("step", (_, name: string) => {
  ran.push(name);
  return { name, at: new Date(0) };
});
const other = defineActivity("other", () => void ran.push("other"));

/** Through a file and back. */
async function exported(app: Romancy, id: string): Promise<unknown> {
  return JSON.parse(JSON.stringify(await app.exportHistory(id)));
}

/** What this code makes of the instance's history; nothing of it may be run. */
async function check(
  app: Romancy,
  id: string,
  ...workflows: readonly AnyWorkflow[]
): Promise<ReplayResult | undefined> {
  const history = await exported(app, id);
  const before = [...ran];
  const [result] = await replayCheck({ workflows, histories: [history] });
  expect(ran).toEqual(before);
  return result;
}

const waiting = (app: Romancy, id: string): Promise<void> =>
  until(async () => (await app.getInstance(id)).status === "waiting");

describe("an exported history", () => {
  it("says what the instance is and what it has recorded, as it is stored", async () => {
    const flow = defineWorkflow("flow", async (ctx, name: string) => (await step(ctx, name)).name);
    const app = await startApp({ workflows: [flow] });
    const handle = await flow.with({ id: "i-1" }).start(app, "a");
    await handle.result();
    expect(await exported(app, "i-1")).toMatchObject({
      format: 1,
      instance: { id: "i-1", workflow: "flow", status: "completed", input: '["a"]', output: '"a"', error: null },
      events: [{ seq: 1, kind: "activity_completed", operationId: "step:1", result: expect.stringContaining("$rich") }],
    });
    await expect(app.exportHistory("nobody")).rejects.toThrow(InstanceNotFoundError);
  });

  it("of a finished instance is followed to the same end, or is not", async () => {
    const flow = defineWorkflow("flow", async (ctx) => {
      await step(ctx, "a");
      await ctx.sleep(1);
      return [(await step(ctx, "b")).at, ctx.now(), ctx.random(), ctx.uuid(), ctx.patched("p")];
    });
    const app = await startApp({ workflows: [flow] });
    const { id } = await flow.start(app);
    await app.handle(flow, id).result();
    expect(await check(app, id, flow)).toEqual({ type: "ok", instanceId: id, workflow: "flow" });
    expect(await check(app, id)).toMatchObject({
      type: "not_registered",
      error: expect.any(WorkflowNotRegisteredError),
      workflow: "flow",
    });

    const renamed = defineWorkflow("flow", async (ctx) => {
      await step(ctx, "a");
      await other(ctx);
    });
    const diverged = await check(app, id, renamed);
    expect(diverged).toMatchObject({
      type: "diverged",
      error: { position: 2, recorded: "timer_started of sleep:1", asked: "asked for other:1" },
    });
    expect(diverged?.type === "diverged" && diverged.error).toBeInstanceOf(NonDeterminismError);

    const longer = defineWorkflow("flow", async (ctx) => {
      await flow.fn(ctx);
      await other(ctx);
    });
    expect(await check(app, id, longer)).toMatchObject({
      type: "diverged",
      error: { recorded: "the end of the workflow's code", asked: "asked for other:1" },
    });
    const endless = defineWorkflow("flow", async (ctx) => {
      await flow.fn(ctx);
      await new Promise(() => {});
    });
    expect(await check(app, id, endless)).toMatchObject({
      type: "diverged",
      error: { asked: "went on without asking for anything" },
    });
    const differing = defineWorkflow("flow", async (ctx) => {
      await flow.fn(ctx);
      return "other";
    });
    expect(await check(app, id, differing)).toMatchObject({
      type: "different_end",
      recorded: { status: "completed", output: expect.any(Array) },
      replayed: { status: "completed", output: "other" },
    });
    const patchedAtTheEnd = defineWorkflow("flow", async (ctx) => {
      const result = await flow.fn(ctx);
      if (ctx.patched("later")) await other(ctx);
      return result;
    });
    expect(await check(app, id, patchedAtTheEnd)).toMatchObject({ type: "ok" });
  });

  it("of an instance that is under way is followed as far as it goes", async () => {
    const flow = defineWorkflow("flow", async (ctx) => {
      await step(ctx, "a");
      await ctx.waitEvent("go");
      return step(ctx, "b");
    });
    const app = await startApp({ workflows: [flow] });
    const { id } = await flow.start(app);
    await waiting(app, id);
    expect(await check(app, id, flow)).toMatchObject({ type: "ok" });
    const later = defineWorkflow("flow", async (ctx) => {
      await step(ctx, "a");
      await ctx.waitEvent("go");
      return other(ctx);
    });
    expect(await check(app, id, later)).toMatchObject({ type: "ok" });
    const patched = defineWorkflow("flow", async (ctx) => {
      if (ctx.patched("p")) await other(ctx);
      await step(ctx, "a");
      await ctx.waitEvent("go");
    });
    expect(await check(app, id, patched)).toMatchObject({ type: "ok" });
    const earlier = defineWorkflow("flow", async (ctx) => {
      await other(ctx);
      await step(ctx, "a");
    });
    expect(await check(app, id, earlier)).toMatchObject({ type: "diverged", error: { position: 1 } });
  });

  it("of a parent, of its children, and of what they went on as", async () => {
    const child = defineWorkflow("child", async (ctx, round: number): Promise<unknown> => {
      await step(ctx, `round ${round}`);
      return round === 2 ? "done" : ctx.recur(round + 1);
    });
    const parent = defineWorkflow("parent", async (ctx) => {
      const handle = await child.with({ id: "c-1" }).start(ctx, 1);
      await handle.describe();
      return [await handle.result(), await child(ctx, 2)];
    });
    const app = await startApp({ workflows: [parent, child] });
    const { id } = await parent.start(app);
    expect(await app.handle(parent, id).result()).toEqual(["done", "done"]);
    expect(await check(app, id, parent, child)).toMatchObject({ type: "ok", workflow: "parent" });
    expect(await check(app, "c-1", child)).toMatchObject({ type: "ok", workflow: "child" });
    const { instances } = await app.listInstances({ workflow: "child" });
    expect(instances).toHaveLength(3);
    for (const { id: childId } of instances) expect(await check(app, childId, child)).toMatchObject({ type: "ok" });
    const ending = defineWorkflow("child", async (ctx, round: number) => void (await step(ctx, `round ${round}`)));
    expect(await check(app, "c-1", ending)).toMatchObject({
      type: "different_end",
      recorded: { status: "recurred" },
      replayed: { status: "completed" },
    });
  });
});

describe("an exported history of a saga", () => {
  const undone: string[] = [];
  const reserve = defineActivity("reserve", (_, item: string) => item, {
    compensation: (_ctx, item) => void undone.push(item),
  });
  const fail = defineActivity("fail", () => Promise.reject(new TerminalError("no stock")));
  const flow = defineWorkflow("flow", async (ctx) => {
    await reserve(ctx, "a");
    await reserve(ctx, "b");
    await fail(ctx);
  });

  it("is followed through what was undone", async () => {
    const app = await startApp({ workflows: [flow] });
    const { id } = await flow.start(app);
    await expect(app.handle(flow, id).result()).rejects.toThrow("no stock");
    expect(undone).toEqual(["b", "a"]);
    expect(await check(app, id, flow)).toMatchObject({ type: "ok" });

    const calm = defineWorkflow("flow", async (ctx) => {
      await Promise.resolve(flow.fn(ctx)).catch(() => {});
      return "calm";
    });
    expect(await check(app, id, calm)).toMatchObject({
      type: "different_end",
      recorded: { status: "failed", error: { name: "ActivityError" } },
      replayed: { status: "completed", output: "calm" },
    });
    const keeping = defineActivity("reserve", (_, item: string) => item);
    const forgetful = defineWorkflow("flow", async (ctx) => {
      await keeping(ctx, "a");
      await keeping(ctx, "b");
      await fail(ctx);
    });
    expect(await check(app, id, forgetful)).toMatchObject({
      type: "diverged",
      error: { recorded: "compensation_completed of reserve:2/compensation:1" },
    });
    expect(undone).toEqual(["b", "a"]);
  });

  it("of a child is followed, though it had completed before it was undone with its parent", async () => {
    const child = defineWorkflow("child", async (ctx) => reserve(ctx, "child's"));
    const parent = defineWorkflow("parent", async (ctx) => {
      await child.with({ id: "c-1" })(ctx);
      await fail(ctx);
    });
    const app = await startApp({ workflows: [parent, child] });
    const handle = await parent.start(app);
    await expect(handle.result()).rejects.toThrow("no stock");
    expect(undone.at(-1)).toBe("child's");
    expect(await check(app, "c-1", child)).toMatchObject({ type: "ok" });
    expect(await check(app, handle.id, parent, child)).toMatchObject({ type: "ok" });
  });

  it("is followed as far as it has come while it is being undone, and when compensations have failed", async () => {
    let mayFail = true;
    const stuck = defineActivity("stuck", () => "done", {
      compensation: () => {
        if (mayFail) throw new TerminalError("cannot undo");
      },
    });
    const failing = defineWorkflow("flow", async (ctx) => {
      await stuck(ctx);
      await fail(ctx);
    });
    const app = await startApp({ workflows: [failing] });
    const { id } = await failing.start(app);
    await expect(app.handle(failing, id).result()).rejects.toThrow("no stock");
    expect(await check(app, id, failing)).toMatchObject({ type: "ok" });
    mayFail = false;
    await app.retryCompensations(id);
    await until(async () => (await app.getInstance(id)).compensationErrors.length === 0);
    expect(await check(app, id, failing)).toMatchObject({ type: "ok" });
  });

  it("of a cancelled instance: in mid-life, before it began, and cleaned up", async () => {
    const cancellable = defineWorkflow("flow", async (ctx) => {
      await reserve(ctx, "c");
      try {
        await ctx.waitEvent("never");
      } finally {
        await ctx.cleanup(() => step(ctx, "cleanup"));
      }
    });
    const app = await startApp({ workflows: [cancellable] });
    const handle = await cancellable.start(app);
    await waiting(app, handle.id);
    await handle.cancel("enough");
    await expect(handle.result()).rejects.toThrow("enough");
    expect(await check(app, handle.id, cancellable)).toMatchObject({ type: "ok" });
    const untidy = defineWorkflow("flow", async (ctx) => {
      await reserve(ctx, "c");
      await ctx.waitEvent("never");
    });
    expect(await check(app, handle.id, untidy)).toMatchObject({ type: "diverged" });

    const client = await startApp({ worker: false });
    const unknown = defineWorkflow("unknown", async (ctx) => void (await step(ctx, "never")));
    const early = await unknown.start(client);
    await early.cancel();
    app.register(unknown);
    await expect(early.result()).rejects.toThrow("cancelled");
    expect(await check(app, early.id, unknown)).toMatchObject({ type: "ok" });
  });

  it("of one that failed with nothing to undo: another failure is another end", async () => {
    const failing = defineWorkflow("flow", async (ctx) => {
      await step(ctx, "a");
      throw new TypeError("one");
    });
    const app = await startApp({ workflows: [failing], defaultRetryPolicy: retryPolicies.none });
    const { id } = await failing.start(app);
    await expect(app.handle(failing, id).result()).rejects.toThrow("one");
    expect(await check(app, id, failing)).toMatchObject({ type: "ok" });
    const differently = defineWorkflow("flow", async (ctx) => {
      await step(ctx, "a");
      throw new TypeError("two");
    });
    expect(await check(app, id, differently)).toMatchObject({
      type: "different_end",
      recorded: { status: "failed", error: { message: "one" } },
      replayed: { status: "failed", error: { message: "two" } },
    });
  });
});
