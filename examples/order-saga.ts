/** An order that is undone when its payment fails, or when the customer cancels it: newest first, each step once. */
import {
  type CompensationContext,
  defineActivity,
  defineCompensation,
  defineWorkflow,
  Romancy,
  TerminalError,
} from "romancy";

interface Reservation {
  readonly id: string;
}

const cancelReservation = defineCompensation(
  "cancel_reservation",
  (ctx: CompensationContext<Reservation>, orderId: string, item: string) =>
    console.log(`${orderId}: cancelled reservation ${ctx.result.id} of ${item}`),
);

const reserveInventory = defineActivity(
  "reserve_inventory",
  async (_ctx, orderId: string, item: string): Promise<Reservation> => {
    console.log(`${orderId}: reserved ${item}`);
    return { id: `RES-${item}` };
  },
  { compensation: cancelReservation },
);

const chargePayment = defineActivity(
  "charge_payment",
  async (_ctx, orderId: string, amount: number) => {
    if (amount > 100) throw new TerminalError("The card was declined");
    console.log(`${orderId}: charged ${amount}`);
    return { amount };
  },
  { compensation: (ctx, orderId) => console.log(`${orderId}: refunded ${ctx.result.amount}`) },
);

const order = defineWorkflow(
  "order",
  async (ctx, orderId: string, amount: number) => {
    await reserveInventory(ctx, orderId, "item1");
    await reserveInventory(ctx, orderId, "item2");
    await chargePayment(ctx, orderId, amount);
    await ctx.waitEvent("parcel.collected", { key: orderId });
    return { orderId, status: "shipped" };
  },
  { events: [{ type: "parcel.collected", key: (orderId) => orderId }] },
);

const app = new Romancy({ database: "order-saga.db", workflows: [order] });
await app.start();

async function tell(orderId: string, result: Promise<unknown>): Promise<void> {
  const outcome = await result.catch((error: Error) => (error.cause as Error).message);
  console.log(`${orderId}:`, outcome, `(${await app.handle(order, orderId).status()})`);
}

const declined = await order.with({ id: "ORD-1" }).start(app, "ORD-1", 250);
await tell("ORD-1", declined.result());

// Cancelled while it waits for the parcel: all three steps are undone.
const regretted = await order.with({ id: "ORD-2" }).start(app, "ORD-2", 80);
while ((await regretted.status()) !== "waiting") await new Promise((resolve) => setTimeout(resolve, 5));
await regretted.cancel("changed my mind");
await tell("ORD-2", regretted.result());

const shipped = await order.with({ id: "ORD-3" }).start(app, "ORD-3", 80);
await app.sendEvent({ type: "parcel.collected", source: "warehouse", subject: "ORD-3" });
await tell("ORD-3", shipped.result());
await app.shutdown();
