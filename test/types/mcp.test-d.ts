/** What users of `romancy/mcp` write compiles, and what is wrong does not. */
import { expectTypeOf, it } from "vitest";
import { z } from "zod";
import { defineWorkflow } from "../../src/index.ts";
import { definePrompt, type WorkflowServerOptions, workflowTools } from "../../src/mcp/index.ts";

const order = defineWorkflow("order", (_ctx, orderId: string, amount: number) => ({ orderId, amount }));

it("takes workflows of any types, alone or with options", () => {
  expectTypeOf([order, workflowTools(order, {})]).toExtend<WorkflowServerOptions["workflows"]>();
});

it("gives the makers of ids the workflow's arguments", () => {
  workflowTools(order, {
    instanceId: (orderId, amount) => {
      expectTypeOf([orderId, amount] as const).toEqualTypeOf<readonly [string, number]>();
      return orderId;
    },
  });
  // @ts-expect-error An id is a text.
  workflowTools(order, { instanceId: (_orderId, amount) => amount });
  // @ts-expect-error The tools are four, and none is called so.
  workflowTools(order, { descriptions: { stop: "Stops it." } });
});

it("gives prompts what their schemas make", () => {
  definePrompt("reorder", ({ orderId }) => orderId.toUpperCase(), { input: z.object({ orderId: z.string() }) });
  // @ts-expect-error There is no such argument.
  definePrompt("reorder", ({ amount }) => amount, { input: z.object({ orderId: z.string() }) });
});
