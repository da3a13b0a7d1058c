/** Connections of workers are ended from outside while they work. */
import { expect, it } from "vitest";
import { defineActivity, defineWorkflow, retryPolicies } from "../../src/index.ts";
import { dice, seed } from "../crash/random.ts";
import { recordingLogger, startApp, testDatabase } from "../support/apps.ts";
import { placeholders } from "../support/database.ts";
import { connections, isHeld, lockNames, terminate } from "../support/locks.ts";
import { gate, until } from "../support/wait.ts";

const INSTANCES = 150;
const ROUNDS = 20;
const INSERT = placeholders("insert into payments (instance_id) values (?)");

it("costs no worker its instances, and each is known by a lock that is held", { timeout: 60_000 }, async () => {
  const held = gate();
  const runs: string[] = [];
  const hold = defineActivity("hold", async (ctx) => {
    runs.push(ctx.instanceId);
    await held.opened;
  });
  const step = defineActivity("step", (_, n: number) => n + 1);
  const long = defineWorkflow("long", (ctx) => hold(ctx));
  const short = defineWorkflow("short", (ctx, n: number) => step(ctx, n));
  const logger = recordingLogger();
  const options = { workflows: [long, short], logger, staleWorkerCheckInterval: "50ms" } as const;
  const one = await startApp({ workerId: "one", ...options });
  await startApp({ workerId: "two", ...options });
  const handles = await Promise.all(Array.from({ length: 5 }, () => long.start(one)));
  await until(() => runs.length === handles.length);
  let last = await lockNames();
  for (let round = 0; round < ROUNDS; round++) {
    await terminate(await connections());
    const areNew = (locks: unknown[]): boolean => locks.every((lock, n) => lock !== null && lock !== last[n]);
    await until(async () => areNew(await lockNames()));
    last = await lockNames();
    expect(await (await short.start(one, round)).result()).toBe(round + 1);
    // A connection that was being made when all were ended is ended, too, and made once more.
    await until(async () => {
      const held = await Promise.all((await lockNames()).map((lock) => isHeld(String(lock))));
      return held.every(Boolean);
    });
  }
  held.open();
  await Promise.all(handles.map((handle) => handle.result()));
  expect(runs).toHaveLength(handles.length);
  const told = logger.lines.map(({ message }) => message);
  expect(told.filter((message) => /Taking over|taken for dead/.test(message))).toEqual([]);
});

it(`loses nothing and does nothing twice, whichever ends, and when (CRASH_SEED=${seed})`, {
  timeout: 60_000,
}, async () => {
  await testDatabase().exec("create table payments (instance_id varchar(100))");
  const executions = new Map<string, number>();
  const plain = defineActivity("plain", (ctx) => {
    const key = `${ctx.instanceId} ${ctx.activityId}`;
    executions.set(key, (executions.get(key) ?? 0) + 1);
  });
  const pay = defineActivity("pay", (ctx) => ctx.session.query(INSERT, [ctx.instanceId]), {
    retry: retryPolicies.fixed(100, 1),
  });
  const flow = defineWorkflow("flow", async (ctx) => {
    for (let n = 0; n < 5; n++) {
      await plain(ctx);
      await ctx.sleep(Math.floor(ctx.random() * 100));
    }
    await pay(ctx);
    await plain(ctx);
  });
  const client = await startApp({ worker: false });
  await Promise.all([1, 2].map(() => startApp({ workflows: [flow], maxConcurrentInstances: 20 })));
  const handles = await Promise.all(Array.from({ length: INSTANCES }, () => flow.start(client)));
  const load = { isOver: false };
  const results = Promise.all(handles.map((handle) => handle.result())).finally(() => {
    load.isOver = true;
  });
  const roll = dice(seed);
  let ended = 0;
  while (!load.isOver) {
    const before = executions.size;
    const all = await connections();
    const victims = roll(4) === 1 ? all : all.filter(() => roll(5) === 1);
    await terminate(victims);
    ended += victims.length;
    await until(() => load.isOver || executions.size >= before + roll(60));
  }
  await results;
  expect(ended).toBeGreaterThan(20);
  // The workers lived, so each activity was executed once.
  expect([...executions.values()].filter((n) => n !== 1)).toEqual([]);
  expect(executions.size).toBe(6 * INSTANCES);
  const paid = await testDatabase().rows("select distinct instance_id from payments");
  expect(paid).toHaveLength(INSTANCES);
  const [{ n } = { n: 0 }] = await testDatabase().rows("select count(*) as n from payments");
  expect(n).toBe(INSTANCES);
  const recorded = await testDatabase().rows(
    "select count(*) as n from romancy_history where kind = 'activity_completed' group by instance_id",
  );
  expect(recorded).toEqual(handles.map(() => ({ n: 7 })));
});
