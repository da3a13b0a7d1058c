/** What an operator does when a service was down for too long: sees what has failed, and has it go on where it was. */
import { defineActivity, defineWorkflow, Romancy } from "romancy";

let isDown = true;

const reserve = defineActivity("reserve", async (_ctx, orderId: string) => {
  console.log("reserved for", orderId);
});

const charge = defineActivity(
  "charge",
  async () => {
    if (isDown) throw new Error("the payment service does not answer");
    return "paid";
  },
  { retry: { maxAttempts: 2, initialInterval: "10ms" } },
);

const order = defineWorkflow("order", async (ctx, orderId: string) => {
  await reserve(ctx, orderId);
  return charge(ctx);
});

const app = new Romancy({ database: "operate.db", workflows: [order] });
await app.start();
const handle = await order.with({ id: "ORD-1" }).start(app, "ORD-1");
await handle.result().catch((error: Error) => console.log(error.message));

// From here on, what `romancy list`, `romancy retry` and `romancy doctor` do as well.
isDown = false;
const { instances } = await app.listInstances({ status: ["failed", "blocked"] });
for (const { id } of instances) await app.retry(id);
console.log("now:", await handle.result());
for (const { check, status } of await app.diagnose()) {
  if (status !== "ok") console.log(check, "is a", status);
}
await app.shutdown();
