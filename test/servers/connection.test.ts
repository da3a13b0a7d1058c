/** The connection by which others know that a worker lives. */
import { describe, expect, it } from "vitest";
import { defineActivity, defineWorkflow } from "../../src/index.ts";
import { startApp, testDatabase } from "../support/apps.ts";
import { watchDriver } from "../support/database.ts";
import { lockNames, terminateHolder } from "../support/locks.ts";
import { gate, until } from "../support/wait.ts";

const step = defineActivity("step", (_, n: number) => n + 1);
const flow = defineWorkflow("flow", (ctx, n: number) => step(ctx, n));

describe("a worker's connection", () => {
  it("holds a lock that others can see, and another one after it was lost", async () => {
    const app = await startApp({ workflows: [flow], workerId: "one" });
    const [lock] = await lockNames();
    expect(lock).toMatch(/^romancy:/);
    await terminateHolder(String(lock));
    await until(async () => (await lockNames())[0] !== lock);
    expect(await (await flow.start(app, 1)).result()).toBe(2);
  });

  it("tells others when it is gone, long before the lease ends", async () => {
    const held = gate();
    let runs = 0;
    const hold = defineActivity("hold", async () => {
      runs++;
      if (runs === 1) await held.opened;
    });
    const work = defineWorkflow("work", (ctx) => hold(ctx));
    // Its next sign of life, which would tell of its lock again, does not come meanwhile.
    const seldom = { leaseDuration: "1 hour", leaseRenewInterval: "10 minutes" } as const;
    const one = await startApp({ workflows: [work], workerId: "one", ...seldom });
    const handle = await work.start(one);
    await until(() => runs === 1);
    // As if it were on another host, where nobody knows of its process.
    await testDatabase().exec("update romancy_workers set host = 'elsewhere', lock_name = 'nobody-holds-this'");
    const two = await startApp({ workflows: [work], workerId: "two" });
    await two.handle(work, handle.id).result();
    expect(runs).toBe(2);
    held.open();
  });

  it("tells its successor of the same id, on another host, that it is gone", async () => {
    const first = await startApp({ workflows: [flow], workerId: "one" });
    await first.shutdown();
    await testDatabase().exec(
      `insert into romancy_workers (id, incarnation, host, pid, born, lock_name, started_at, expires_at)
       values ('one', 'earlier', 'elsewhere', 1, '1', 'nobody-holds-this', 0, ?)`,
      [Date.now() + 3_600_000],
    );
    const second = await startApp({ workflows: [flow], workerId: "one" });
    expect(await (await flow.start(second, 1)).result()).toBe(2);
  });
});

it("does not let users' looks at instances stand before its own work", async () => {
  const app = await startApp({ workflows: [flow] });
  const handle = await flow.start(app, 1);
  await handle.result();
  const looking = new Set<object>();
  const working = new Set<object>();
  const stop = watchDriver({
    before({ connection, text }) {
      const isLook = /\bfrom romancy_history\b|order by created_at desc/.test(text);
      (isLook ? looking : working).add(connection);
    },
  });
  try {
    const looks = Array.from({ length: 8 }, () => [app.getHistory(handle.id), app.listInstances()]).flat();
    await Promise.all([...looks, (await flow.start(app, 2)).result()]);
  } finally {
    stop();
  }
  expect(looking.size).toBe(1);
  expect([...working].filter((connection) => looking.has(connection))).toEqual([]);
});
