/** What a run records while a commit of its own waits: it belongs to the next commit, and changes nothing of that one. */
import { expect, it } from "vitest";
import { defineActivity, defineWorkflow } from "../../src/index.ts";
import { startApp } from "../support/apps.ts";

/** Turns of the event loop, enough for what is recorded to be on its way. */
async function turns(): Promise<void> {
  for (let n = 0; n < 20; n++) await new Promise((resolve) => setImmediate(resolve));
}

it("is not in the commit that waits", async () => {
  const held = Promise.withResolvers<void>();
  const early = Promise.withResolvers<void>();
  // On SQLite nobody else commits while its transaction is open.
  const holds = defineActivity("holds", async (ctx) => {
    await ctx.session.query("select 1");
    held.resolve();
    await early.promise;
    await turns();
  });
  const first = defineActivity("first", () => held.promise, { transactional: false });
  const second = defineActivity(
    "second",
    async () => {
      await held.promise;
      await turns();
    },
    { transactional: false },
  );
  const flow = defineWorkflow("flow", async (ctx) => {
    const publish = async (): Promise<void> => {
      await second(ctx);
      const published = ctx.publish("news", "once");
      early.resolve();
      await published;
    };
    await Promise.all([holds(ctx), first(ctx), publish()]);
  });
  const app = await startApp({ workflows: [flow] });
  const handle = await flow.start(app);
  await handle.result();
  const recorded = (await app.getHistory(handle.id)).map(({ operationId }) => operationId);
  expect(recorded.toSorted()).toEqual(["first:1", "holds:1", "publish:1", "second:1"]);
});
