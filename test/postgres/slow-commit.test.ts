/** A commit that takes its time on the server, by a trigger of the user's. */
import { Client } from "pg";
import { afterEach, expect, it } from "vitest";
import { defineActivity, defineWorkflow } from "../../src/index.ts";
import { LateProxy } from "../servers/late-proxy.ts";
import { startApp, testDatabase } from "../support/apps.ts";
import { until } from "../support/wait.ts";

const SCHEMA = `
  create table payments (instance_id text);
  create function audit() returns trigger language plpgsql as $$
    begin perform pg_advisory_xact_lock(42); return null; end $$;
  create constraint trigger audit after insert on payments deferrable initially deferred
    for each row execute function audit()`;

let proxy: LateProxy | undefined;

afterEach(() => proxy?.close());

async function waiting(): Promise<number> {
  const rows = await testDatabase().rows(
    "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
  );
  return rows.length;
}

it("is waited for when its answer is lost meanwhile", async () => {
  await testDatabase().exec(SCHEMA);
  const auditor = new Client({ connectionString: testDatabase().url });
  await auditor.connect();
  await auditor.query("select pg_advisory_lock(42)");
  let runs = 0;
  const pay = defineActivity("pay", async (ctx) => {
    runs++;
    await ctx.session.query("insert into payments values ($1)", [ctx.instanceId]);
    return ctx.attempt;
  });
  const flow = defineWorkflow("flow", (ctx) => pay(ctx));
  proxy = await LateProxy.open(testDatabase().url);
  try {
    const app = await startApp({ database: proxy.url, workflows: [flow] });
    const caught = proxy.catch((message, before) => before.includes("into payments") && /commit/.test(message));
    const handle = await flow.start(app);
    // The server gets it at once, and the app no answer.
    const committed = (await caught).deliver();
    // The commit waits for the auditor, and who looks for it waits for the commit.
    await until(async () => (await waiting()) === 2);
    await auditor.query("select pg_advisory_unlock(42)");
    await committed;
    expect(await handle.result()).toBe(1);
    expect(runs).toBe(1);
    expect(await testDatabase().rows("select instance_id from payments")).toHaveLength(1);
    expect(await testDatabase().rows("select kind from romancy_history")).toEqual([{ kind: "activity_completed" }]);
  } finally {
    await auditor.end();
  }
});
