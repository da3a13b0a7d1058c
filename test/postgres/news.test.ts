/** LISTEN and NOTIFY, and doing without. */
import { Pool } from "pg";
import { describe, expect, it } from "vitest";
import { defineActivity, defineWorkflow } from "../../src/index.ts";
import { createApp, recordingLogger, startApp, testDatabase } from "../support/apps.ts";
import { watchDriver } from "../support/database.ts";
import { lockNames, terminateHolder } from "../support/locks.ts";
import { gate, until } from "../support/wait.ts";

const step = defineActivity("step", (_, n: number) => n + 1);
const flow = defineWorkflow("flow", (ctx, n: number) => step(ctx, n));

describe("news between processes", () => {
  it("are pushed: who waits for a result looks once when it is there, and not before", async () => {
    const held = gate();
    const hold = defineActivity("hold", () => held.opened);
    const work = defineWorkflow("work", (ctx) => hold(ctx));
    await startApp({ workflows: [work] });
    const client = await startApp({ worker: false });
    const handle = await work.start(client);
    let looks = 0;
    let isOpen = false;
    const stop = watchDriver({
      after({ text }) {
        if (isOpen && text.includes("completed_at is not null")) looks++;
      },
    });
    try {
      const result = handle.result();
      await until(async () => (await handle.status()) === "running");
      isOpen = true;
      held.open();
      await result;
    } finally {
      stop();
    }
    expect(looks).toBe(1);
  });

  it("are done without when they are switched off", async () => {
    const logger = recordingLogger();
    const app = createApp({ workflows: [flow], listenNotify: false, logger });
    await app.start();
    const client = await startApp({ worker: false, listenNotify: false });
    expect(await (await flow.start(client, 1)).result()).toBe(2);
    const [{ n } = { n: -1 }] = await testDatabase().rows(
      "select count(*) as n from pg_stat_activity where datname = current_database() and query like 'select pg_notify%'",
    );
    // Only the message by which it finds out whether messages arrive.
    expect(n).toBeLessThanOrEqual(1);
  });

  it("that do not arrive, behind a pooler, are noticed, told and done without", async () => {
    const pool = new Pool({ connectionString: testDatabase().url, max: 8 });
    // What a pooler that deals out connections per transaction does: no message comes in.
    pool.on("connect", (client) => {
      const emit = client.emit.bind(client);
      client.emit = ((event: string, ...args: never[]) =>
        event === "notification" ? false : emit(event as never, ...args)) as never;
    });
    try {
      const logger = recordingLogger();
      const app = createApp({ database: pool, workflows: [flow], logger });
      await app.start();
      const told = logger.lines.filter(({ message }) => message.includes("pooler"));
      expect(told).toHaveLength(1);
      expect(await lockNames()).toEqual([null]);
      const client = createApp({ database: pool, worker: false });
      await client.start();
      expect(await (await flow.start(client, 1)).result()).toBe(2);
      await client.shutdown();
      await app.shutdown();
      expect(pool.totalCount - pool.idleCount).toBe(0);
    } finally {
      await pool.end();
    }
  });

  it("are heard again after the connection was lost, which is told", async () => {
    const logger = recordingLogger();
    const app = createApp({ workflows: [flow], logger });
    await app.start();
    const [lock] = await lockNames();
    await terminateHolder(String(lock));
    await until(async () => (await lockNames())[0] !== lock);
    expect(logger.lines.map(({ message }) => message)).toContainEqual(
      expect.stringContaining("The connection that hears other processes was lost"),
    );
    const client = await startApp({ worker: false });
    expect(await (await flow.start(client, 1)).result()).toBe(2);
  });
});
