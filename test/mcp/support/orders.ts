/** The workflows that the servers of these tests offer. */
import { z } from "zod";
import { defineActivity, defineCompensation, defineWorkflow, Romancy } from "../../../src/index.ts";
import {
  createMcpServer,
  definePrompt,
  type McpHttpOptions,
  type WorkflowServer,
  workflowTools,
} from "../../../src/mcp/index.ts";

const release = defineCompensation("release", () => {});

const reserve = defineActivity("reserve", (_ctx, orderId: string) => `RES-${orderId}`, { compensation: release });

const orderInput = z.object({
  orderId: z.string().describe("The shop's own number."),
  amount: z.number().positive(),
});

/** Waits for `paid`. */
export const order = defineWorkflow(
  "order",
  async (ctx, { orderId, amount }: z.infer<typeof orderInput>) => {
    const reservation = await reserve(ctx, orderId);
    await ctx.waitEvent("paid", { key: orderId });
    return { orderId, amount, reservation, at: new Date(0) };
  },
  {
    input: orderInput,
    description: "Takes an order.",
    events: [{ type: "paid", key: ({ orderId }: z.infer<typeof orderInput>) => orderId }],
  },
);

const step = defineActivity("step", (_ctx, n: number) => n);

/** Waits for `go` between its steps. */
export const steps = defineWorkflow(
  "steps",
  async (ctx, count: number) => {
    for (let n = 1; n <= count; n++) {
      await step(ctx, n);
      await ctx.waitEvent("go");
    }
    return count;
  },
  { input: z.number().int(), events: ["go"] },
);

const add = defineWorkflow("add", (_ctx, a: number, b: number | undefined) => a + (b ?? 1), {
  input: [z.number(), z.number().optional()],
});

const echo = defineWorkflow("echo", (_ctx, ...args: unknown[]) => args);

const refuse = defineWorkflow("refuse", async () => {
  throw new Error("The card was refused.");
});

const countDown = defineWorkflow("count.down", (ctx, { from }: { from: number }): number | never =>
  from === 0 ? 0 : (ctx.recur({ from: from - 1 }) as never),
);

/** Goes on as another instance, which waits for `go`. */
const relay = defineWorkflow(
  "relay",
  async (ctx, isLast: boolean): Promise<string> => {
    if (!isLast) return ctx.recur(true);
    await ctx.waitEvent("go");
    return "done";
  },
  { input: z.boolean(), events: ["go"] },
);

/** Does not even get an id. */
const nameless = defineWorkflow("nameless", () => null);

/** Not offered. */
export const secret = defineWorkflow("secret", () => "hidden");

export const WORKFLOWS = [order, steps, add, echo, refuse, countDown, relay, nameless, secret];

const reorder = definePrompt("reorder", ({ orderId }) => `Order again what was in order ${orderId}.`, {
  description: "Orders the same again.",
  input: z.object({ orderId: z.string() }),
});

/** An app on the test's database that has started, and its server. */
export async function startServer(http: McpHttpOptions = {}): Promise<{ app: Romancy; mcp: WorkflowServer }> {
  const quiet = (): void => {};
  const logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };
  const app = new Romancy({ database: process.env["DATABASE"] ?? "", workflows: WORKFLOWS, logger });
  await app.start();
  const mcp = await createMcpServer(app, {
    name: "orders",
    version: "1.2.3",
    instructions: "A shop.",
    workflows: [
      workflowTools(order, { instanceId: ({ orderId }) => orderId }),
      steps,
      workflowTools(add, { prefix: "sum", parameters: ["a", "b"], description: "Adds." }),
      echo,
      refuse,
      countDown,
      relay,
      workflowTools(nameless, {
        instanceId: () => {
          throw new Error("The password is swordfish.");
        },
      }),
    ],
    prompts: [reorder],
    http,
    logger,
  });
  return { app, mcp };
}
