/** A paid order tells the rest of the company: the payment's row and the event are one commit, or neither is there. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { defineActivity, defineWorkflow, Romancy } from "romancy";

const prepare = defineActivity("prepare", async (ctx) => {
  await ctx.session.query("create table if not exists payments (order_id text primary key, amount real)");
});

const pay = defineActivity("pay", async (ctx, orderId: string, amount: number) => {
  await ctx.session.query("insert into payments (order_id, amount) values (?, ?)", [orderId, amount]);
  await ctx.sendEvent({ type: "order.paid", subject: orderId, data: { amount } });
  if (ctx.attempt === 1) throw new Error("This attempt leaves no row and no event behind.");
});

const order = defineWorkflow("order", async (ctx, orderId: string, amount: number) => {
  await prepare(ctx);
  await pay(ctx, orderId, amount);
  await ctx.sendEvent({ type: "order.finished", subject: orderId });
});

// A broker that takes CloudEvents by HTTP. Its first answer is that it is busy.
const { promise: hasAll, resolve } = Promise.withResolvers<void>();
let requests = 0;
const broker = createServer((request, response) => {
  const isBusy = ++requests === 1;
  response.writeHead(isBusy ? 503 : 204).end();
  if (isBusy) return;
  console.log(`${String(request.headers["ce-type"])} ${String(request.headers["ce-id"])}`);
  if (request.headers["ce-type"] === "order.finished") resolve();
});
broker.listen(0, "127.0.0.1");
await once(broker, "listening");
const { port } = broker.address() as AddressInfo;

const app = new Romancy({
  database: "outbox.db",
  workflows: [order],
  outbox: { brokerUrl: `http://127.0.0.1:${port}`, retry: { initialInterval: 50 } },
  logger: { debug() {}, info() {}, warn() {}, error: console.error },
});
await app.start();
await (await order.with({ id: "ORD-1" }).start(app, "ORD-1", 99.99)).result();
await hasAll;
await app.shutdown();
broker.close();
