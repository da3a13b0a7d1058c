/** The order workflow: reserve, charge, wait a little, ship; a declined card gives the goods back. */
import { setTimeout as delay } from "node:timers/promises";
import { ActivityError, defineActivity, defineWorkflow, TerminalError, type Workflow } from "../../src/index.ts";
import type { Effects } from "./effects.ts";
import { type Item, type Order, totalOf } from "./order.ts";

export type OrderResult =
  | { readonly outcome: "shipped"; readonly cents: number; readonly parcel: string }
  | { readonly outcome: "declined"; readonly cents: 0; readonly reason: string };

/** Milliseconds until a parcel is packed. */
const PACKING_TIME = 300;

/** A function, so that the activities are given what they work with. */
export function defineOrderWorkflow(effects: Effects): Workflow<[Order], OrderResult> {
  // Through `ctx.session`: the new stock and the record that it was taken are one commit.
  const reserve = defineActivity("reserve", (ctx, items: readonly Item[]) =>
    effects.perform(ctx, async () => {
      await serviceTime();
      for (const { sku, quantity } of items) {
        await ctx.session.query("update stock set available = available - ? where sku = ?", [quantity, sku]);
      }
      return { reservation: ctx.idempotencyKey };
    }),
  );

  const release = defineActivity("release", (ctx, items: readonly Item[]) =>
    effects.perform(ctx, async () => {
      await serviceTime();
      for (const { sku, quantity } of items) {
        await ctx.session.query("update stock set available = available + ? where sku = ?", [quantity, sku]);
      }
    }),
  );

  // Outside the database: should the process die before the record is written, it runs again with the same key.
  const charge = defineActivity("charge", (ctx, card: string, cents: number) =>
    effects.perform(ctx, async () => {
      await serviceTime();
      if (card === "tok_declined") throw new TerminalError("insufficient funds");
      if (card === "tok_flaky" && ctx.attempt === 1) throw new Error("the payment provider answered 503");
      return { payment: ctx.idempotencyKey, cents };
    }),
  );

  const ship = defineActivity("ship", (ctx, orderId: string) =>
    effects.perform(ctx, async () => {
      await serviceTime();
      return { parcel: `PARCEL-${orderId}` };
    }),
  );

  return defineWorkflow("order", async (ctx, order: Order): Promise<OrderResult> => {
    const cents = totalOf(order);
    await reserve(ctx, order.items);
    try {
      await charge(ctx, order.card, cents);
    } catch (error) {
      if (!isDecline(error)) throw error;
      await release(ctx, order.items);
      return { outcome: "declined", cents: 0, reason: error.cause.message };
    }
    ctx.log.info("Waiting.", { event: "waiting", milliseconds: PACKING_TIME });
    await ctx.sleep(PACKING_TIME);
    const { parcel } = await ship(ctx, order.id);
    return { outcome: "shipped", cents, parcel };
  });
}

function isDecline(error: unknown): error is ActivityError & { readonly cause: TerminalError } {
  return error instanceof ActivityError && error.cause instanceof TerminalError;
}

/** What the services behind the activities take to answer. */
function serviceTime(): Promise<void> {
  return delay(60 + Math.random() * 80);
}
