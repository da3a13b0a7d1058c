/** An order waits for its payment, which the payment provider reports over HTTP, as a CloudEvent. */
import type { AddressInfo } from "node:net";
import { CloudEvent, emitterFor, HTTP, httpTransport, Mode } from "cloudevents";
import { defineWorkflow, Romancy } from "romancy";

const order = defineWorkflow(
  "order",
  async (ctx, orderId: string) => {
    const paid = await ctx.waitEvent<{ amount: number }>("payment.completed", { key: orderId, timeout: "3 days" });
    return `${orderId} was paid: ${paid.data.amount}`;
  },
  { events: [{ type: "payment.completed", key: (orderId: string) => orderId }] },
);

const app = new Romancy({
  database: "http.db",
  workflows: [order],
  http: { authorize: (request) => request.headers.get("authorization") === "Bearer secret" },
});
await app.start();
const server = await app.listen(0);
const url = `http://localhost:${(server.address() as AddressInfo).port}`;
console.log((await fetch(`${url}/health/ready`)).status, "ready");

const handle = await order.start(app, "ORD-1");

// What the provider does: here with the official SDK, but any sender of CloudEvents will do.
const emit = emitterFor(httpTransport(url), { binding: HTTP, mode: Mode.BINARY });
const event = new CloudEvent({
  id: "pay-1",
  source: "https://psp.example",
  type: "payment.completed",
  subject: "ORD-1",
  data: { amount: 99.99 },
});
const headers = { authorization: "Bearer secret" };
for (const options of [{}, { headers }, { headers }]) {
  const { body } = (await emit(event, options)) as { body: string };
  console.log(body);
}

console.log(await handle.result());
await app.shutdown();
