/** A workflow of four days, tested in some milliseconds: `node examples/testing.ts`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { defineActivity, defineWorkflow, EventTimeoutError } from "romancy";
import { crashEverywhere, replayCheck, startTestApp } from "romancy/testing";

// What is to be tested. Here it stands beside its tests.
const charge = defineActivity("charge", async (_ctx, orderId: string): Promise<string> => {
  throw new Error(`No payment provider is there to charge ${orderId}`);
});
const remind = defineActivity("remind", async (_ctx, _orderId: string) => {});

const order = defineWorkflow("order", async (ctx, orderId: string) => {
  const payment = await charge(ctx, orderId);
  try {
    const shipped = await ctx.waitEvent<{ tracking: string }>("order.shipped", { key: orderId, timeout: "3 days" });
    return { payment, tracking: shipped.data.tracking };
  } catch (error) {
    if (!(error instanceof EventTimeoutError)) throw error;
    await remind(ctx, orderId);
    await ctx.sleep("1 day");
    return { payment, tracking: undefined };
  }
});

const shipped = { type: "order.shipped", source: "shop", subject: "ORD-1", data: { tracking: "T-1" } };

await test("an order is charged and shipped", async () => {
  await using app = await startTestApp({ workflows: [order] });
  const charged = app.stub(charge, async (_ctx, orderId) => `PAY-${orderId}`).failFirst(1);
  const handle = await order.start(app, "ORD-1");
  await app.untilWaiting(handle, "order.shipped");
  await app.sendEvent(shipped);
  assert.deepEqual(await handle.result(), { payment: "PAY-ORD-1", tracking: "T-1" });
  assert.equal(charged.calls.length, 2);
  await app.expectHistory(handle, [
    "charge:1 attempt 1 failed",
    "charge:1 completed",
    "wait_event:1 started",
    "wait_event:1 received",
  ]);
});

await test("when nothing is shipped, somebody is reminded after three days", async () => {
  await using app = await startTestApp({ workflows: [order] });
  app.stub(charge, async () => "PAY-1");
  const reminded = app.stub(remind);
  const begun = app.now;
  const handle = await order.start(app, "ORD-1");
  assert.deepEqual(await handle.result(), { payment: "PAY-1", tracking: undefined });
  assert.equal(app.now - begun, 4 * 86_400_000);
  assert.equal(reminded.calls.length, 1);
});

await test("it ends well wherever its process dies", async () => {
  const { crashes } = await crashEverywhere({ workflows: [order] }, async (app) => {
    app.stub(charge, async () => "PAY-1");
    const handle = await order.start(app, "ORD-1");
    await app.untilWaiting(handle, "order.shipped");
    await app.sendEvent(shipped);
    assert.deepEqual(await handle.result(), { payment: "PAY-1", tracking: "T-1" });
  });
  assert.ok(crashes > 5);
});

await test("code that does not follow a recorded history is found before it is deployed", async () => {
  await using app = await startTestApp({ workflows: [order] });
  app.stub(charge, async () => "PAY-1");
  const handle = await order.with({ id: "ORD-1" }).start(app, "ORD-1");
  await app.untilWaiting(handle);
  // In reality: exported from production and kept in a file beside the tests.
  const history: unknown = JSON.parse(JSON.stringify(await app.app.exportHistory("ORD-1")));

  const changed = defineWorkflow("order", async (ctx, orderId: string) => {
    await remind(ctx, orderId);
    return await charge(ctx, orderId);
  });
  const [same] = await replayCheck({ workflows: [order], histories: [history] });
  const [other] = await replayCheck({ workflows: [changed], histories: [history] });
  assert.equal(same?.type, "ok");
  assert.equal(other?.type, "diverged");
});
