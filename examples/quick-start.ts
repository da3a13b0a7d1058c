import { defineActivity, defineWorkflow, Romancy } from "romancy";

// Activities do the real work. Each result is recorded, so a completed activity is not run again.
const reserve = defineActivity("reserve", async (_ctx, orderId: string) => {
  return { reservation: `RES-${orderId}` };
});

const charge = defineActivity(
  "charge",
  async (ctx, orderId: string, amount: number) => {
    // The key stays the same over retries and crashes: payment providers deduplicate by it.
    return { payment: `PAY-${orderId}`, amount, key: ctx.idempotencyKey };
  },
  { retry: { maxAttempts: 5 }, timeout: "30s" },
);

// A workflow is an ordinary async function. It survives the death of its process, here even in mid-sleep.
const order = defineWorkflow("order", async (ctx, orderId: string, amount: number) => {
  const { reservation } = await reserve(ctx, orderId);
  await ctx.sleep("50ms");
  const { payment } = await charge(ctx, orderId, amount);
  return { orderId, reservation, payment };
});

const app = new Romancy({ database: "quick-start.db", workflows: [order] });
await app.start();

const handle = await order.with({ id: "ORD-1" }).start(app, "ORD-1", 99.99);
console.log(await handle.result());

await app.shutdown();
