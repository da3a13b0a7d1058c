/** Workflows that the tests of the command line start by name. */
import { defineActivity, defineWorkflow } from "../../src/index.ts";

const greet = defineActivity("greet", (_, name: string) => `Hello, ${name}`);

export const greeting = defineWorkflow("greeting", async (ctx, name: string, times: number = 1) => {
  const text = await greet(ctx, name);
  return { text, times, at: new Date(0) };
});

const waiting = defineWorkflow("waiting", async (ctx, key: string) => (await ctx.waitEvent("go", { key })).data);

export const placed = defineWorkflow("placed", async (_, order: { readonly id: string }) => order.id, {
  eventHandler: "order.placed",
});

/** In an object, as some modules export theirs. */
export default { waiting };
