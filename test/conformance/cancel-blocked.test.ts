/** A cancel of an instance that has failed, and whose undoing is held up, because its code has changed. */
import { expect, it } from "vitest";
import { defineActivity, defineWorkflow, type WorkflowFailedError } from "../../src/index.ts";
import { startApp } from "../support/apps.ts";
import { gate, until } from "../support/wait.ts";

/** Blocks it: it has failed, its code has changed, and nobody runs it. */
async function blocked(): Promise<{ id: string; client: Awaited<ReturnType<typeof startApp>> }> {
  const hold = gate();
  const begun = gate();
  const held = defineActivity("held", () => "x", {
    compensation: async () => {
      begun.open();
      await hold.opened;
    },
  });
  const flow = defineWorkflow("flow", async (ctx) => {
    await held(ctx);
    throw new Error("no");
  });
  const other = defineWorkflow("flow", async (ctx) => {
    await held(ctx);
    await ctx.waitEvent("never");
  });
  const one = await startApp({ workflows: [flow], shutdownTimeout: 0 });
  const { id } = await flow.start(one);
  await begun.opened;
  await one.shutdown();
  const two = await startApp({ workflows: [other] });
  await until(async () => (await two.getInstance(id)).status === "blocked");
  await two.shutdown();
  hold.open();
  return { id, client: await startApp({ worker: false }) };
}

it.each(["before", "while"])("ends it as cancelled, %s code that fits undoes the rest", async (when) => {
  const { id, client } = await blocked();
  const begun = gate();
  const go = gate();
  let undone = 0;
  const held = defineActivity("held", () => "x", {
    compensation: async () => {
      begun.open();
      await go.opened;
      undone++;
    },
  });
  const flow = defineWorkflow("flow", async (ctx) => {
    await held(ctx);
    throw new Error("no");
  });
  const handle = client.handle(flow, id);
  if (when === "before") await handle.cancel("enough");
  await startApp({ workflows: [flow] });
  await begun.opened;
  if (when === "while") await handle.cancel("enough");
  go.open();
  const error: WorkflowFailedError = await handle.result().catch((failure) => failure);
  expect(error.cause).toMatchObject({ name: "CancelledError", reason: "enough", cause: { message: "no" } });
  expect(await handle.status()).toBe("cancelled");
  expect(undone).toBe(1);
});
