import { describe, expectTypeOf, it } from "vitest";
import { type ActivityContext, defineActivity, defineCompensation, defineWorkflow } from "../../src/index.ts";
import {
  type CrashReport,
  crashEverywhere,
  type Definition,
  type ReplayCheckOptions,
  type ReplayResult,
  replayCheck,
  type Stub,
  type StubCall,
  type TestApp,
} from "../../src/testing/index.ts";

const charge = defineActivity("charge", async (_, orderId: string, amount: number) => ({
  payment: `${orderId} ${amount}`,
}));
const release = defineCompensation<[string], { id: number }>("release", () => {});
const order = defineWorkflow("order", async (ctx, orderId: string) => charge(ctx, orderId, 5));

declare const app: TestApp;

describe("stubs", () => {
  it("are typed as what they stand for", () => {
    const charged = app.stub(charge, (ctx, orderId, amount) => {
      expectTypeOf(ctx).toEqualTypeOf<ActivityContext>();
      expectTypeOf(amount).toEqualTypeOf<number>();
      return { payment: orderId };
    });
    expectTypeOf(charged).toEqualTypeOf<Stub<[orderId: string, amount: number]>>();
    expectTypeOf(charged.calls).toEqualTypeOf<readonly StubCall<[orderId: string, amount: number]>[]>();
    // @ts-expect-error it returns something else
    app.stub(charge, () => ({ payed: "" }));
    // @ts-expect-error it takes something else
    app.stub(charge, (_ctx, orderId: number) => ({ payment: String(orderId) }));
    app.stub(order, async (_ctx, orderId) => ({ payment: orderId }));
    app.stub(release, (ctx) => expectTypeOf(ctx.result).toEqualTypeOf<{ id: number }>());
    app.stub("charge", (_ctx, orderId: string) => orderId);
    expectTypeOf(charge).toExtend<Definition<ActivityContext, [string, number], { payment: string }>>();
  });
});

describe("handles", () => {
  it("give what the workflow returns", async () => {
    expectTypeOf(await (await order.start(app, "ORD-1")).result()).toEqualTypeOf<{ payment: string }>();
    expectTypeOf(await app.handle(order, "ORD-1").result()).toEqualTypeOf<{ payment: string }>();
  });
});

describe("reports", () => {
  it("tell what came of it", async () => {
    const options: ReplayCheckOptions = { workflows: [order], histories: [] };
    const [result] = await replayCheck(options);
    expectTypeOf(result).toEqualTypeOf<ReplayResult | undefined>();
    if (result?.type === "diverged") expectTypeOf(result.error).toEqualTypeOf<Error>();
    expectTypeOf(await crashEverywhere({}, async () => {})).toEqualTypeOf<CrashReport>();
  });
});
