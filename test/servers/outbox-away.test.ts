/** The way to the database breaks while events are relayed, at every single message. */
import { afterEach, expect, it } from "vitest";
import { defineActivity, defineWorkflow } from "../../src/index.ts";
import { startApp, testDatabase } from "../support/apps.ts";
import { countEvents } from "../support/outbox.ts";
import { until } from "../support/wait.ts";
import { type CuttingProxy, cuttingProxy } from "./cutting-proxy.ts";

let proxy: CuttingProxy | undefined;

afterEach(async () => {
  await proxy?.close();
  proxy = undefined;
});

const tell = defineActivity("tell", async (ctx) => {
  for (let n = 0; n < 2; n++) await ctx.sendEvent({ type: "told" });
});
const flow = defineWorkflow("flow", async (ctx) => {
  await ctx.sendEvent({ type: "begun" });
  await tell(ctx);
});

it.each(["request", "answer"] as const)(
  "loses no event and sends none twice, whichever %s is lost",
  { timeout: 120_000 },
  async (where) => {
    const sent: string[] = [];
    proxy = await cuttingProxy(testDatabase().url);
    const app = await startApp({
      database: proxy.url,
      workflows: [flow],
      outbox: { publisher: ({ id }) => void sent.push(id) },
    });
    let count = 0;
    for (let wasCut = true; wasCut; ) {
      proxy.arm(count + 1, where);
      const id = `flow-${++count}`;
      await (await flow.with({ id }).start(app)).result();
      await until(async () => (await countEvents("status = 'published'")) === 3 * count);
      wasCut = proxy.disarm();
      expect(sent.slice(-3), `cut at message ${count}`).toEqual([
        `${id}/send_event:1`,
        `${id}/tell:1/1`,
        `${id}/tell:1/2`,
      ]);
      expect(sent, `cut at message ${count}`).toHaveLength(3 * count);
    }
    // The start, two commits of events, claims and settlements are more than ten messages.
    expect(count).toBeGreaterThan(5);
  },
);
