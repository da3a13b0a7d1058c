/** New code is deployed while instances are under way: another app, with other code, on the same database. */
import { describe, expect, it } from "vitest";
import {
  defineActivity,
  defineWorkflow,
  type Romancy,
  type RomancyOptions,
  retryPolicies,
  type WorkflowContext,
} from "../../src/index.ts";
import { startApp } from "../support/apps.ts";
import { until } from "../support/wait.ts";

const ran: string[] = [];
const step = defineActivity("step", (_, name: string) => {
  ran.push(name);
  return name;
});

/** The code of one deployment. */
const flowOf = (code: (ctx: WorkflowContext) => Promise<unknown>) => defineWorkflow("flow", code);

const go = (ctx: WorkflowContext): Promise<unknown> => ctx.waitEvent("go");

/** Waits for the instance to stand where it waits for an event. */
async function waiting(app: Romancy, id: string): Promise<void> {
  await until(async () => (await app.getInstance(id)).status === "waiting");
}

const send = (app: Romancy, id: string): Promise<unknown> =>
  app.sendEvent({ type: "go", source: "test", data: null }, { instanceId: id });

/** Shuts the app down and starts one with other code. */
async function deploy(
  app: Romancy,
  flow: ReturnType<typeof flowOf>,
  options: Partial<RomancyOptions> = {},
): Promise<Romancy> {
  await app.shutdown();
  return startApp({ workflows: [flow], ...options });
}

const recordedIn = async (app: Romancy, id: string): Promise<string[]> =>
  (await app.getHistory(id)).map(({ operationId }) => operationId);

describe("ctx.patched", () => {
  it.each([
    ["kept in memory", 1_000],
    ["replayed at each wake-up", 0],
  ])("is false for who went by with older code, and true for who comes later, %s", async (_, maxParkedInstances) => {
    ran.length = 0;
    const old = flowOf(async (ctx) => {
      await go(ctx);
      await step(ctx, "old");
      await go(ctx);
      return step(ctx, "end");
    });
    const patchedFlow = flowOf(async (ctx) => {
      await go(ctx);
      await step(ctx, ctx.patched("better") ? "new" : "old");
      await go(ctx);
      return step(ctx, ctx.patched("better") ? "new end" : "end");
    });
    const first = await startApp({ workflows: [old], maxParkedInstances });
    const [early, late] = await Promise.all([old.start(first), old.start(first)]);
    await waiting(first, early.id);
    await send(first, early.id);
    await until(async () => (await recordedIn(first, early.id)).includes("wait_event:2"));
    await waiting(first, late.id);

    const second = await deploy(first, patchedFlow, { maxParkedInstances });
    await send(second, late.id);
    await until(async () => (await recordedIn(second, late.id)).includes("wait_event:2"));
    await waiting(second, late.id);
    await send(second, early.id);
    expect(await second.handle(patchedFlow, early.id).result()).toBe("end");

    const third = await deploy(second, patchedFlow, { maxParkedInstances });
    await send(third, late.id);
    expect(await third.handle(patchedFlow, late.id).result()).toBe("new end");
    expect(ran).toEqual(["old", "new", "end", "new end"]);
    expect(await recordedIn(third, late.id)).toContain("patched(better)");
    expect(await recordedIn(third, early.id)).not.toContain("patched(better)");
    expect(await third.getHistory(late.id)).toContainEqual(
      expect.objectContaining({ kind: "patch_recorded", patch: "better" }),
    );
  });

  it("is false while what older code has done is being undone, though the code's history has ended", async () => {
    ran.length = 0;
    let mayUndo = false;
    const reserve = defineActivity("reserve", () => "reserved", {
      compensation: () => {
        if (!mayUndo) throw new Error("not yet");
        ran.push("undone");
      },
    });
    const fail = defineActivity("fail", () => Promise.reject(new Error("no")), { retry: retryPolicies.none });
    const old = flowOf(async (ctx) => {
      await reserve(ctx);
      await fail(ctx);
    });
    const answers: boolean[] = [];
    const patchedFlow = flowOf(async (ctx) => {
      await reserve(ctx);
      try {
        await fail(ctx);
      } finally {
        answers.push(ctx.patched("better"));
        if (ctx.patched("better")) await step(ctx, "never");
      }
    });
    const first = await startApp({ workflows: [old] });
    const { id } = await old.start(first);
    await until(async () => (await recordedIn(first, id)).includes("reserve:1/compensation:1"));

    mayUndo = true;
    const second = await deploy(first, patchedFlow);
    await expect(second.handle(patchedFlow, id).result()).rejects.toThrow("no");
    expect(answers).toEqual([false]);
    expect(ran).toEqual(["undone"]);
    expect((await second.getInstance(id)).compensationErrors).toEqual([]);
  });

  it("is true again in what an instance goes on as: its history is empty", async () => {
    const old = defineWorkflow("flow", async (ctx, round: number) => {
      await go(ctx);
      return ctx.recur(round + 1);
    });
    const patchedFlow = defineWorkflow("flow", async (ctx, round: number) => {
      const isPatched = ctx.patched("better");
      if (round === 2) return [round, isPatched];
      await go(ctx);
      return ctx.recur(round + 1);
    });
    const first = await startApp({ workflows: [old] });
    const handle = await old.start(first, 1);
    await waiting(first, handle.id);
    await first.shutdown();
    const second = await startApp({ workflows: [patchedFlow] });
    await send(second, handle.id);
    expect(await second.handle(patchedFlow, handle.id).result()).toEqual([2, true]);
  });
});

describe("the id of a patch", () => {
  it("is a name, asked for by the workflow's own code", async () => {
    const asking = defineActivity("asking", (_, ask: unknown) => ask);
    const flow = flowOf(async (ctx) => {
      const refusals: string[] = [];
      const note = (error: unknown): void => void refusals.push((error as Error).name);
      for (const id of ["", "x".repeat(201)]) {
        await (async () => ctx.patched(id))().catch(note);
        await (async () => ctx.deprecatePatch(id))().catch(note);
      }
      const misplaced = defineActivity("misplaced", () => ctx.patched("p"));
      await misplaced(ctx).catch((error: unknown) => note((error as Error).cause));
      await asking(ctx, ctx.patched("x".repeat(200)));
      return refusals;
    });
    const app = await startApp({ workflows: [flow] });
    const invalid = Array.from({ length: 4 }, () => "ValidationError");
    expect(await (await flow.start(app)).result()).toEqual([...invalid, "MisplacedCallError"]);
  });
});

describe("a patch that is taken out", () => {
  const patchedFlow = flowOf(async (ctx) => {
    const name = ctx.patched("better") ? "new" : "old";
    await go(ctx);
    return step(ctx, name);
  });
  const cleared = flowOf(async (ctx) => {
    await go(ctx);
    return step(ctx, "new");
  });
  const deprecated = flowOf(async (ctx) => {
    ctx.deprecatePatch("better");
    await go(ctx);
    return step(ctx, "new");
  });

  it("too early blocks who has recorded it, until it is deprecated instead", async () => {
    const first = await startApp({ workflows: [patchedFlow] });
    const { id } = await patchedFlow.start(first);
    await waiting(first, id);

    const second = await deploy(first, cleared);
    await send(second, id);
    await until(async () => (await second.getInstance(id)).status === "blocked");
    expect((await second.getInstance(id)).error).toMatchObject({
      code: "NON_DETERMINISM",
      message: expect.stringContaining('Put `ctx.deprecatePatch("better")`'),
    });

    const third = await deploy(second, deprecated);
    expect(await third.handle(deprecated, id).result()).toBe("new");
  });

  it("in two deployments hurts nobody", async () => {
    const first = await startApp({ workflows: [deprecated] });
    const { id } = await deprecated.start(first);
    await waiting(first, id);
    const second = await deploy(first, cleared);
    await send(second, id);
    expect(await second.handle(cleared, id).result()).toBe("new");
  });
});
