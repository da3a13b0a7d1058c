import { describe, expect, it } from "vitest";
import { defineActivity, defineCompensation, defineWorkflow, TerminalError } from "../../src/index.ts";
import { createApp, recordingLogger, startApp } from "../support/apps.ts";
import { recordingHooks } from "../support/facts.ts";
import { gate, until } from "../support/wait.ts";

const charge = defineActivity("charge", (_, amount: number) => ({ charged: amount }));

describe("hooks", () => {
  it("are told of a workflow and its activities, in order, with what they took and gave", async () => {
    const { hooks, names, of } = recordingHooks();
    const order = defineWorkflow("order", async (ctx, id: string) => [id, await charge(ctx, 5)], { version: "7" });
    const app = await startApp({ workflows: [order], hooks });
    const handle = await order.with({ tags: { tenant: "a" } }).start(app, "o-1");
    await handle.result();
    await app.shutdown();
    expect(names()).toEqual(["onWorkflowStart", "onActivityStart", "onActivityComplete", "onWorkflowComplete"]);
    const instance = { instanceId: handle.id, workflowName: "order" };
    expect(of("onWorkflowStart")).toMatchObject([{ ...instance, input: ["o-1"], tags: { tenant: "a" }, version: "7" }]);
    const activity = { ...instance, activityId: "charge:1", activityName: "charge", attempt: 1 };
    expect(of("onActivityStart")).toMatchObject([{ ...activity, input: [5], isCompensation: false }]);
    expect(of("onActivityComplete")).toMatchObject([{ ...activity, output: { charged: 5 } }]);
    expect(of("onWorkflowComplete")).toMatchObject([{ ...instance, output: ["o-1", { charged: 5 }] }]);
    expect(of("onWorkerStart")).toEqual([{ workerId: app.workerId }]);
    expect(of("onWorkerStop")).toEqual([{ workerId: app.workerId }]);
    expect(of("onRunStart")).toMatchObject([{ ...instance, queueDelay: expect.any(Number), inboxDepth: 0 }]);
    expect(of("onRunEnd")).toMatchObject([{ ...instance, reason: "ended" }]);
  });

  it("are told only when it is durable", async () => {
    const seen: string[] = [];
    const order = defineWorkflow("order", async (ctx) => void (await charge(ctx, 5)));
    const app = await startApp({
      workflows: [order],
      hooks: {
        onActivityComplete: ({ instanceId }) => {
          void app
            .getHistory(instanceId)
            .then((history) => seen.push(...history.map(({ operationId }) => operationId)));
        },
      },
    });
    const handle = await order.start(app);
    await handle.result();
    await until(() => seen.length > 0);
    expect(seen).toEqual(["charge:1"]);
  });

  it("are told of attempts that fail, of failures for good, and of what is undone", async () => {
    const { hooks, names, of } = recordingHooks();
    const undo = defineCompensation("undo", () => {});
    const reserve = defineActivity("reserve", () => "r-1", { compensation: undo });
    const pay = defineActivity(
      "pay",
      () => {
        throw new Error("no money");
      },
      { retry: { maxAttempts: 2, initialInterval: 1 } },
    );
    const order = defineWorkflow("order", async (ctx) => {
      await reserve(ctx);
      await pay(ctx);
    });
    const app = await startApp({ workflows: [order], hooks });
    const handle = await order.start(app);
    await expect(handle.result()).rejects.toThrow("no money");
    expect(names()).toEqual([
      "onWorkflowStart",
      "onActivityStart",
      "onActivityComplete",
      "onActivityStart",
      "onActivityRetry",
      "onActivityStart",
      "onActivityFailed",
      "onRollbackStart",
      "onCompensationStart",
      "onCompensationComplete",
      "onWorkflowFailed",
    ]);
    expect(of("onActivityRetry")).toMatchObject([{ activityId: "pay:1", attempt: 1, error: { message: "no money" } }]);
    expect(of("onActivityFailed")).toMatchObject([{ activityId: "pay:1", attempt: 2, error: { message: "no money" } }]);
    expect(of("onRollbackStart")).toMatchObject([{ outcome: "failed" }]);
    expect(of("onCompensationComplete")).toMatchObject([{ activityName: "undo" }]);
    expect(of("onWorkflowFailed")).toMatchObject([{ error: { attempts: 2 }, compensationErrors: [] }]);
  });

  it("are told of sleeps, waits, what came and what did not, and of events that were taken in", async () => {
    const { hooks, names, of } = recordingHooks();
    const flow = defineWorkflow("flow", async (ctx) => {
      await ctx.sleep(1);
      await ctx.waitEvent("paid", { key: "k" });
      await ctx.waitEvent("never", { timeout: 1 }).catch(() => {});
    });
    const app = await startApp({ workflows: [flow], hooks });
    const handle = await flow.start(app);
    await until(() => of("onEventWaitStart").length === 1);
    await app.sendEvent({ type: "paid", source: "psp", id: "e-1", subject: "k", data: 1 });
    await handle.result();
    expect(names()).toEqual([
      "onWorkflowStart",
      "onTimerStart",
      "onTimerFired",
      "onEventWaitStart",
      "onEventReceived",
      "onEventWaitComplete",
      "onEventWaitStart",
      "onEventTimeout",
      "onWorkflowComplete",
    ]);
    const waitFor = { kind: "event", types: ["paid"], key: "k" };
    expect(of("onEventWaitStart")[0]).toMatchObject({ operationId: "wait_event:1", waitFor, deadline: undefined });
    expect(of("onEventReceived")).toMatchObject([
      { eventType: "paid", eventId: "e-1", eventSource: "psp", receivers: 1 },
    ]);
    expect(of("onEventWaitComplete")).toMatchObject([{ waitFor, attributes: { type: "paid", id: "e-1" } }]);
    expect(of("onEventTimeout")).toMatchObject([{ operationId: "wait_event:2", waitFor: { types: ["never"] } }]);
    expect(of("onTimerFired")).toMatchObject([{ timerId: "sleep:1", expiresAt: expect.any(Date) }]);
  });

  it("are told of children, of cancels once, and of what goes on as another", async () => {
    const { hooks, of } = recordingHooks();
    const child = defineWorkflow("child", (ctx) => ctx.waitEvent("never"));
    const parent = defineWorkflow("parent", async (ctx, hop: number): Promise<void> => {
      if (hop < 1) return ctx.recur(hop + 1);
      await child(ctx);
    });
    const app = await startApp({ workflows: [parent, child], hooks });
    const handle = await parent.start(app, 0);
    await until(() => of("onEventWaitStart").length === 2);
    await app.cancel(handle.id, "enough");
    await app.cancel(handle.id, "again");
    await expect(handle.result()).rejects.toThrow("cancelled");
    await until(() => of("onWorkflowCancelled").length === 2);
    expect(of("onWorkflowStart").map(({ workflowName }) => workflowName)).toEqual(["parent", "child"]);
    const [recurred] = of("onRecur");
    expect(recurred).toMatchObject({ instanceId: handle.id, input: [1] });
    expect(of("onWorkflowStart")[1]).toMatchObject({ parentId: recurred?.["successorId"] });
    expect(of("onCancelRequested")).toHaveLength(2);
    expect(of("onCancelRequested")[0]).toMatchObject({ instanceId: recurred?.["successorId"], reason: "enough" });
    expect(
      of("onWorkflowCancelled")
        .map(({ workflowName }) => workflowName)
        .sort(),
    ).toEqual(["child", "parent"]);
  });

  it("are told of a replay and of what it was answered, and of nothing a second time", async () => {
    const first = recordingHooks();
    const held = gate();
    const hold = defineActivity("hold", (ctx) => Promise.race([held.opened, rejected(ctx.signal)]));
    const flow = defineWorkflow("flow", async (ctx) => {
      await charge(ctx, 1);
      await ctx.sleep(1);
      await hold(ctx);
    });
    const app = await startApp({ workflows: [flow], hooks: first.hooks, shutdownTimeout: 0 });
    const handle = await flow.start(app);
    await until(() => first.of("onActivityStart").length === 2);
    await app.shutdown();
    expect(first.of("onRunEnd").at(-1)).toMatchObject({ reason: "dropped" });
    const second = recordingHooks();
    held.open();
    const next = await startApp({ workflows: [flow], hooks: [second.hooks, {}] });
    await next.handle(flow, handle.id).result();
    expect(second.names()).toEqual([
      "onReplayStart",
      "onActivityCacheHit",
      "onReplayComplete",
      "onActivityStart",
      "onActivityComplete",
      "onWorkflowComplete",
    ]);
    expect(second.of("onReplayComplete")).toMatchObject([{ historyEvents: 3, cacheHits: 1 }]);
    expect(second.of("onActivityCacheHit")).toMatchObject([{ activityId: "charge:1", cachedResult: { charged: 1 } }]);
  });

  it("are told of an instance that is blocked", async () => {
    const { hooks, of } = recordingHooks();
    const before = defineWorkflow("flow", async (ctx) => void (await ctx.sleep("1h")));
    const after = defineWorkflow("flow", async (ctx) => void (await charge(ctx, 1)));
    const app = await startApp({ workflows: [before] });
    const handle = await before.start(app);
    await until(async () => (await handle.status()) === "waiting");
    await app.shutdown();
    const next = await startApp({ workflows: [after], hooks });
    await next.cancel(handle.id);
    await until(() => of("onWorkflowBlocked").length + of("onWorkflowCancelled").length > 0);
    expect(of("onWorkflowCancelled")).toMatchObject([{ instanceId: handle.id, error: { code: "NON_DETERMINISM" } }]);
  });

  it("see nothing of what is sensitive", async () => {
    const { hooks, told } = recordingHooks();
    const secret = defineActivity(
      "secret",
      (_, word: string) => {
        if (word === "bad") throw new TerminalError(`not ${word}`);
        return word;
      },
      { sensitive: true },
    );
    const flow = defineWorkflow("flow", async (ctx) => {
      await secret(ctx, "hush");
      await secret(ctx, "bad").catch(() => {});
    });
    const app = await startApp({ workflows: [flow], hooks });
    await (await flow.start(app)).result();
    const said = told.filter(({ name }) => name.startsWith("onActivity")).map(({ fact }) => JSON.stringify(fact));
    expect(said).toHaveLength(4);
    expect(said.join()).not.toMatch(/hush|bad/);
    expect(said[1]).toContain('"output":"[redacted]"');
  });

  it("change nothing when they throw, reject or never call what they are to run", async () => {
    const logger = recordingLogger();
    const fail = (): never => {
      throw new Error("broken hook");
    };
    const hooks = {
      onWorkflowStart: fail,
      onActivityComplete: async () => fail(),
      onWorkflowComplete: fail,
      captureContext: fail,
      aroundActivity: () => {},
    };
    const flow = defineWorkflow("flow", (ctx) => charge(ctx, 2));
    const app = await startApp({ workflows: [flow], hooks: [hooks, { aroundActivity: fail }], logger });
    expect(await (await flow.start(app)).result()).toEqual({ charged: 2 });
    const failed = () => logger.lines.filter(({ message }) => message === "A hook failed.");
    await until(() => failed().length === 5);
    expect(
      failed()
        .map(({ data }) => (data as { hook: string }).hook)
        .sort(),
    ).toEqual(["aroundActivity", "captureContext", "onActivityComplete", "onWorkflowComplete", "onWorkflowStart"]);
  });

  it("run attempts within what they put around them, and are told how those came out", async () => {
    const outcomes: string[] = [];
    const around = (name: string) => ({
      aroundActivity: async (_: unknown, run: () => Promise<void>) => {
        outcomes.push(`${name} begins`);
        await run().then(
          () => outcomes.push(`${name} ends`),
          (error: unknown) => outcomes.push(`${name}: ${(error as Error).message}`),
        );
      },
    });
    let tries = 0;
    const twice = defineActivity(
      "twice",
      () => {
        outcomes.push("body");
        if (tries++ === 0) throw new Error("once more");
      },
      { retry: { initialInterval: 1 } },
    );
    const flow = defineWorkflow("flow", async (ctx) => void (await twice(ctx)));
    const app = await startApp({ workflows: [flow], hooks: [around("outer"), around("inner")] });
    await (await flow.start(app)).result();
    expect(outcomes).toEqual([
      "outer begins",
      "inner begins",
      "body",
      "inner: once more",
      "outer: once more",
      "outer begins",
      "inner begins",
      "body",
      "inner ends",
      "outer ends",
    ]);
  });

  it("are refused when they are none", () => {
    expect(() => createApp({ hooks: "none" as never })).toThrow(/hooks must be an object/);
  });
});

function rejected(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
}
