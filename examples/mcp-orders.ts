/**
 * A shop whose orders are tools of the Model Context Protocol: a model orders, asks how far the order is, and approves
 * what is expensive. Served by standard input and output, or with `--http 8080` by HTTP; docs/mcp.md says how a client is
 * told of it.
 */
import { parseArgs } from "node:util";
import { defineActivity, defineCompensation, defineWorkflow, Romancy } from "romancy";
import { createMcpServer, definePrompt, stderrLogger, workflowTools } from "romancy/mcp";
import { z } from "zod";

const orderInput = z.object({
  orderId: z.string().describe("A number that you make up; the same one again is the same order."),
  item: z.string().describe("What is ordered, in words."),
  amount: z.number().positive().describe("What it costs, in euros. Above 100 somebody has to approve it."),
});

const release = defineCompensation("release", (_ctx, item: string) => {
  console.error(`${item} is released`);
});

const reserve = defineActivity("reserve", (_ctx, item: string) => `RES-${item}`, { compensation: release });

const charge = defineActivity("charge", (ctx, orderId: string, amount: number) => ({
  payment: `PAY-${orderId}`,
  amount,
  key: ctx.idempotencyKey,
}));

const order = defineWorkflow(
  "order",
  async (ctx, { orderId, item, amount }: z.infer<typeof orderInput>) => {
    const reservation = await reserve(ctx, item);
    if (amount > 100) await ctx.waitEvent("order.approved", { key: orderId, timeout: "3 days" });
    const { payment } = await charge(ctx, orderId, amount);
    return { orderId, reservation, payment };
  },
  {
    input: orderInput,
    description: "Orders an item in the shop.",
    events: [{ type: "order.approved", key: ({ orderId }: z.infer<typeof orderInput>) => orderId }],
  },
);

const {
  values: { http },
} = parseArgs({ options: { http: { type: "string" } } });

const app = new Romancy({
  database: process.env["ORDERS_DATABASE"] ?? "mcp-orders.db",
  workflows: [order],
  // The standard output is the protocol's.
  logger: stderrLogger,
});
await app.start();

const mcp = await createMcpServer(app, {
  name: "orders",
  version: "1.0.0",
  instructions: "A shop. Orders take a while: start one, and ask for its status and result later.",
  workflows: [workflowTools(order, { instanceId: ({ orderId }) => orderId })],
  prompts: [
    definePrompt("order", ({ item }) => `Order ${item} for me, and tell me when it is done.`, {
      description: "Orders something.",
      input: z.object({ item: z.string() }),
    }),
  ],
  http: { verifyToken: (token) => token === process.env["ORDERS_TOKEN"] },
  extend(server) {
    server.registerTool(
      "order_approve",
      { description: "Approves an expensive order.", inputSchema: z.object({ orderId: z.string() }) },
      async ({ orderId }) => {
        await app.sendEvent({ type: "order.approved", source: "/shop", subject: orderId, id: `approval-${orderId}` });
        return { content: [{ type: "text", text: `Order ${orderId} is approved.` }] };
      },
    );
  },
});

if (http === undefined) {
  const connection = await mcp.serveStdio();
  await connection.closed;
  await app.shutdown();
} else {
  app.mount("/mcp", mcp.fetch);
  await app.listen(Number(http));
  console.error(`Orders are taken at http://127.0.0.1:${http}/mcp`);
}
