/** An order waits for its payment, which comes as an event; the process that waits is not the one that hears of it. */
import { defineWorkflow, Romancy } from "romancy";

const order = defineWorkflow(
  "order",
  async (ctx, orderId: string) => {
    const paid = await ctx.waitEvent<{ amount: number }>("payment.completed", { key: orderId, timeout: "3 days" });
    return `${orderId} was paid: ${paid.data.amount}`;
  },
  // So that a payment that is faster than the order's first wait is not missed.
  { events: [{ type: "payment.completed", key: (orderId: string) => orderId }] },
);

const first = new Romancy({ database: "events.db", workflows: [order] });
await first.start();
const { id } = await order.start(first, "ORD-1");
await first.shutdown();

const client = new Romancy({ database: "events.db", worker: false });
await client.start();
const event = { type: "payment.completed", source: "psp", id: "pay-1", subject: "ORD-1", data: { amount: 99.99 } };
await client.sendEvent(event);
// Payment providers repeat themselves; the second one has no effect.
await client.sendEvent(event);
await client.shutdown();

const second = new Romancy({ database: "events.db", workflows: [order] });
await second.start();
console.log(await second.handle(order, id).result());
await second.shutdown();
