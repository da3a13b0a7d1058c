/** What a test puts in the place of activities and workflows, and what it is told of calls. */
import { describe, expect, expectTypeOf, it } from "vitest";
import { defineActivity, defineCompensation, defineWorkflow, TerminalError } from "../../src/index.ts";
import { operationsOf, startTestApp } from "../../src/testing/index.ts";

const charge = defineActivity("charge", (_, orderId: string, amount: number): { payment: string } => {
  throw new TerminalError(`no ${amount} for ${orderId}: this is the real one`);
});
const order = defineWorkflow("order", async (ctx, orderId: string) => (await charge(ctx, orderId, 5)).payment);

describe("a stub", () => {
  it("takes the place of an activity, typed as it is, and keeps note of calls", async () => {
    await using app = await startTestApp({ workflows: [order] });
    const charged = app.stub(charge, async (ctx, orderId) => ({ payment: `${orderId} ${ctx.activityId}` }));
    expectTypeOf(charged.calls[0]?.args).toEqualTypeOf<[orderId: string, amount: number] | undefined>();
    // @ts-expect-error the activity returns something else
    app.stub(charge, () => 5).restore();
    app.stub(charge, async (ctx, orderId) => ({ payment: `${orderId} ${ctx.activityId}` }));
    const handle = await order.start(app, "ORD-1");
    expect(await handle.result()).toBe("ORD-1 charge:1");
    expect(charged.calls).toEqual([]);
  });

  it("is told what it was called with, attempt by attempt", async () => {
    await using app = await startTestApp({ workflows: [order] });
    const charged = app.stub("charge", (_ctx, orderId: string) => ({ payment: `PAY-${orderId}` })).failFirst(2);
    const handle = await order.start(app, "ORD-1");
    expect(await handle.result()).toBe("PAY-ORD-1");
    const base = { instanceId: handle.id, args: ["ORD-1", 5], activityId: "charge:1" };
    expect(charged.calls).toEqual([1, 2, 3].map((attempt) => ({ ...base, attempt })));
    await app.expectHistory(handle, ["charge:1 attempt 1 failed", "charge:1 attempt 2 failed", "charge:1 completed"]);
    await expect(app.expectHistory(handle, ["charge:1 completed"])).rejects.toThrow("charge:1 attempt 1 failed");
  });

  it("without a function runs the real one, and fails as it is told", async () => {
    await using app = await startTestApp({ workflows: [order] });
    const charged = app.stub(charge).failFirst(1, new TypeError("first"));
    const handle = await order.start(app, "ORD-1");
    await expect(handle.result()).rejects.toThrow("this is the real one");
    expect(charged.calls).toHaveLength(2);
  });

  it("is taken away again", async () => {
    await using app = await startTestApp({ workflows: [order] });
    const first = app.stub(charge, () => ({ payment: "first" }));
    const second = app.stub(charge, () => ({ payment: "second" }));
    first.restore();
    expect(await (await order.start(app, "ORD-1")).result()).toBe("second");
    second.restore();
    await expect((await order.start(app, "ORD-2")).result()).rejects.toThrow("this is the real one");
  });

  it("takes the place of a workflow, as a child or by itself", async () => {
    const parent = defineWorkflow("parent", async (ctx) => [await order(ctx, "ORD-1"), await ctx.sleep("1 day")]);
    await using app = await startTestApp({ workflows: [parent, order], maxParkedInstances: 0 });
    const ordered = app.stub(order, async (ctx, orderId) => {
      await ctx.sleep("1h");
      return `stubbed ${orderId}`;
    });
    expect(await (await parent.start(app)).result()).toEqual(["stubbed ORD-1", undefined]);
    expect(ordered.calls).toMatchObject([{ args: ["ORD-1"], activityId: undefined }]);
  });

  it("takes the place of a compensation", async () => {
    const release = defineCompensation<[string], string>("release", () => {
      throw new Error("the real one");
    });
    const reserve = defineActivity("reserve", (_, item: string) => `RES-${item}`, { compensation: release });
    const flow = defineWorkflow("flow", async (ctx) => {
      await reserve(ctx, "book");
      throw new TerminalError("no");
    });
    await using app = await startTestApp({ workflows: [flow] });
    const results: unknown[] = [];
    const released = app.stub(release, (ctx) => void results.push(ctx.result));
    await expect((await flow.start(app)).result()).rejects.toThrow("no");
    expect(released.calls).toMatchObject([{ args: ["book"], activityId: "reserve:1/compensation:1" }]);
    expect(results).toEqual(["RES-book"]);
  });
});

describe("operationsOf", () => {
  it("has a line for whatever can happen", async () => {
    const child = defineWorkflow("child", () => Promise.reject(new TerminalError("child")));
    const undo = defineCompensation("undo", () => {
      throw new TerminalError("cannot");
    });
    const fine = defineActivity("fine", () => "fine", { compensation: undo });
    const flow = defineWorkflow("flow", async (ctx) => {
      ctx.now();
      ctx.patched("p");
      await fine(ctx);
      ctx.addCompensation(defineCompensation("by_hand", () => {}));
      await ctx.sendTo("nobody", "news", null).catch(() => {});
      await ctx.receive("unknown").catch(() => {});
      await ctx.joinGroup("group");
      await ctx.waitEvent("never", { timeout: "1h" }).catch(() => {});
      await child(ctx).catch(() => {});
      await ctx.waitEvent("go");
    });
    await using app = await startTestApp({ workflows: [flow, child] });
    const handle = await flow.start(app);
    await app.untilWaiting(handle, "go");
    await handle.cancel("enough");
    await expect(handle.result()).rejects.toThrow("enough");
    await app.app.retryCompensations(handle.id);
    await app.runUntilIdle();
    expect(operationsOf(await app.app.getHistory(handle.id))).toEqual([
      "now:1 recorded",
      "patched(p) recorded",
      "fine:1 completed",
      "by_hand:1 added",
      "send_to:1 failed",
      "receive:1 refused",
      "join_group:1 completed",
      "wait_event:1 started",
      "wait_event:1 timed out",
      "child:1 started",
      "child:1 failed",
      "wait_event:2 started",
      "cancel requested",
      "rollback started: cancelled",
      "by_hand:1/compensation:1 completed",
      "fine:1/compensation:1 failed",
      "rollback retried",
      "fine:1/compensation:2 failed",
    ]);
  });
});
