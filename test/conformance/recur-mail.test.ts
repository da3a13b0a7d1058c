/** What is sent to an instance while it goes on as others, again and again. */
import { expect, it } from "vitest";
import { defineWorkflow } from "../../src/index.ts";
import { MESSAGES, taker } from "../processes/fixtures/taker.ts";
import { startApp, testDatabase } from "../support/apps.ts";
import { until } from "../support/wait.ts";

const tell = defineWorkflow("tell", async (ctx) => {
  for (let n = 0; n < MESSAGES; n++) await ctx.publishToGroup("crew", "crew", n);
});

const each = async (send: (n: number) => Promise<unknown>): Promise<void> => {
  for (let n = 0; n < MESSAGES; n++) await send(n);
};

it("is received once, in the order of each sender", { timeout: 60_000 }, async () => {
  const app = await startApp({ workflows: [taker] });
  const client = await startApp({ workflows: [tell] });
  const handle = await taker.with({ id: "first" }).start(app, null);
  await until(async () => (await handle.status()) === "waiting");
  await client.sendEvent({ type: "go", source: "test" });
  const result = handle.result();
  const telling = await tell.start(client);
  await Promise.all([
    each((n) => client.publish("news", n)),
    each((n) => client.sendTo("first", "mail", n)),
    each((n) => client.sendEvent({ type: "paid", source: "psp", id: String(n), data: n })),
    telling.result(),
  ]);
  const all = Array.from({ length: MESSAGES }, (_, n) => n);
  expect(await result).toEqual({ news: all, mail: all, crew: all, paid: all });
  for (const table of ["inbox", "subscriptions", "channel_subscriptions", "groups"]) {
    expect(await testDatabase().rows(`select * from romancy_${table}`), table).toEqual([]);
  }
});
