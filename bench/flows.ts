/** The workflows that several benchmarks run. */
import { type Activity, defineActivity, defineWorkflow, type Workflow } from "romancy";

export const step: Activity<[n: number], number> = defineActivity("step", async (_ctx, n: number) => n + 1);

export const one: Workflow<[n: number], number> = defineWorkflow("one", (ctx, n: number) => step(ctx, n));

export const three: Workflow<[n: number], number> = defineWorkflow("three", async (ctx, n: number) => {
  const a = await step(ctx, n);
  const b = await step(ctx, a);
  return step(ctx, b);
});
