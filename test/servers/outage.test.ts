/** The way to the database breaks at every single message, and the server dies under load. */
import { afterEach, expect, it } from "vitest";
import { defineActivity, defineWorkflow, retryPolicies } from "../../src/index.ts";
import { startApp, testDatabase } from "../support/apps.ts";
import { databaseKind, placeholders } from "../support/database.ts";
import { type ServerKind, startServer, type TestServer } from "../support/servers/server.ts";
import { type CuttingProxy, cuttingProxy } from "./cutting-proxy.ts";
import { killedUnderLoad } from "./killed-under-load.ts";

let proxy: CuttingProxy | undefined;
let server: TestServer | undefined;

afterEach(async () => {
  await proxy?.close();
  await server?.stop();
  proxy = undefined;
  server = undefined;
});

const INSERT = placeholders("insert into payments (instance_id, attempt) values (?, ?)");

it.each(["request", "answer"] as const)(
  "loses nothing and does nothing twice, whichever %s is lost",
  {
    timeout: 120_000,
  },
  async (where) => {
    await testDatabase().exec("create table payments (instance_id varchar(100), attempt int)");
    const executions = new Map<string, number>();
    const plain = defineActivity("plain", (ctx) => {
      executions.set(ctx.instanceId, (executions.get(ctx.instanceId) ?? 0) + 1);
      return "plain";
    });
    const pay = defineActivity(
      "pay",
      async (ctx) => {
        await ctx.session.query(INSERT, [ctx.instanceId, ctx.attempt]);
        return ctx.attempt;
      },
      { retry: retryPolicies.fixed(5, 1) },
    );
    const flow = defineWorkflow("flow", async (ctx) => {
      await plain(ctx);
      await pay(ctx);
      await ctx.sleep(1);
      return plain(ctx);
    });
    proxy = await cuttingProxy(testDatabase().url);
    const app = await startApp({ database: proxy.url, workflows: [flow] });

    let n = 0;
    for (let wasCut = true; wasCut; ) {
      n++;
      proxy.arm(n, where);
      const handle = await flow.start(app);
      expect(await handle.result()).toBe("plain");
      wasCut = proxy.disarm();
      expect(executions.get(handle.id), `cut at message ${n}`).toBe(2);
      const paid = await testDatabase().rows("select attempt from payments where instance_id = ?", [handle.id]);
      expect(paid, `cut at message ${n}`).toHaveLength(1);
      const history = await app.getHistory(handle.id);
      expect(history.filter(({ kind }) => kind === "activity_completed")).toHaveLength(3);
    }
    // The start, four commits and a session are many messages, even where some go together.
    expect(n).toBeGreaterThan(5);
  },
);

it("goes on when the server was killed under load", { timeout: 120_000 }, async () => {
  const started = await startServer(databaseKind as ServerKind);
  if (typeof started === "string") throw new Error(started);
  server = started;
  await killedUnderLoad(server, server.url);
});
