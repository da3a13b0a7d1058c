/** A counter that lives for ever: after every few messages it goes on as a new instance, so its history stays short. */
import { defineWorkflow, Romancy } from "romancy";

const PER_INSTANCE = 4;

const counter = defineWorkflow("counter", async (ctx, total: number) => {
  // It goes along, so this does nothing but in the first instance.
  await ctx.subscribe("numbers", "direct");
  let sum = total;
  for (let n = 0; n < PER_INSTANCE; n++) {
    const { data } = await ctx.receive<number | "stop">("numbers");
    if (data === "stop") return sum;
    sum += data;
  }
  return ctx.recur(sum);
});

const app = new Romancy({ database: "recur.db", workflows: [counter] });
await app.start();
const handle = await counter.start(app, 0);

// The sender knows the first instance alone; what it sends reaches the one that lives now.
for (let n = 1; n <= 10; n++) await app.sendTo(handle.id, "numbers", n);
await app.sendTo(handle.id, "numbers", "stop");
console.log("the sum is", await handle.result());

const { instances } = await app.listInstances({ workflow: "counter" });
for (let next = instances.find(({ id }) => id === handle.id); next; ) {
  const { id, status } = next;
  const received = (await app.getHistory(id)).filter(({ kind }) => kind === "message_received");
  console.log(`${status}, after ${received.length} messages`);
  next = instances.find(({ continuedFrom }) => continuedFrom === id);
}
await app.shutdown();
