/** What an app sent, and was cut off before it had an answer, takes place on the server later. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AppStateError, defineActivity, defineWorkflow, retryPolicies } from "../../src/index.ts";
import { dice, seed } from "../crash/random.ts";
import { startApp, testDatabase } from "../support/apps.ts";
import { dialectName, placeholders } from "../support/database.ts";
import { isHeld, isWaiting, lockNames, terminateHolder } from "../support/locks.ts";
import { gate, until } from "../support/wait.ts";
import { LateProxy } from "./late-proxy.ts";

const INSERT = placeholders("insert into payments (instance_id, attempt) values (?, ?)");

/** What makes a claim take place: one statement, or the commit after two. */
const CLAIM = { postgres: /skip locked/, mysql: /^.{1,10}commit$/s, sqlite: /$^/ }[dialectName];

let proxy: LateProxy;
/** How often each activity of each instance was executed. */
let executions: Map<string, number>;

beforeEach(async () => {
  proxy = await LateProxy.open(testDatabase().url);
  executions = new Map();
  await testDatabase().exec("create table payments (instance_id varchar(100), attempt int)");
});

afterEach(() => proxy.close());

function executed(instance: string, activity: string): number {
  const key = `${instance} ${activity}`;
  executions.set(key, (executions.get(key) ?? 0) + 1);
  return executions.get(key) ?? 0;
}

const plain = defineActivity("plain", (ctx) => executed(ctx.instanceId, ctx.activityId));

const pay = defineActivity(
  "pay",
  async (ctx) => {
    executed(ctx.instanceId, ctx.activityId);
    await ctx.session.query(INSERT, [ctx.instanceId, ctx.attempt]);
    return ctx.attempt;
  },
  { retry: retryPolicies.fixed(5, 1) },
);

/** Its attempts whose rows are there. */
async function paid(id: string): Promise<unknown[]> {
  const rows = await testDatabase().rows("select attempt from payments where instance_id = ?", [id]);
  return rows.map(({ attempt }) => attempt);
}

async function ownerOf(id: string): Promise<unknown> {
  const [row] = await testDatabase().rows("select worker_id from romancy_instances where id = ?", [id]);
  return row?.["worker_id"];
}

async function epochOf(id: string): Promise<number> {
  const [row] = await testDatabase().rows("select epoch from romancy_instances where id = ?", [id]);
  return Number(row?.["epoch"]);
}

const kinds = async (id: string): Promise<unknown[]> =>
  (await testDatabase().rows("select kind from romancy_history where instance_id = ? order by seq", [id])).map(
    ({ kind }) => kind,
  );

describe("a session's commit", () => {
  it("that is under way still when it is looked for is waited for", async () => {
    const flow = defineWorkflow("flow", (ctx) => pay(ctx));
    const app = await startApp({ database: proxy.url, workflows: [flow] });
    const caught = proxy.catch((message, before) => /insert into payments/.test(before) && /commit/.test(message));
    const handle = await flow.start(app);
    const commit = await caught;
    await until(isWaiting);
    expect(await paid(handle.id)).toEqual([]);
    await commit.deliver();
    expect(await handle.result()).toBe(1);
    expect(executions.get(`${handle.id} pay:1`)).toBe(1);
    expect(await paid(handle.id)).toEqual([1]);
    expect(await kinds(handle.id)).toEqual(["activity_completed"]);
  });
});

describe("a claim", () => {
  it("that lands when its worker has no more room is given back to others", async () => {
    const held = gate();
    const trail: string[] = [];
    const work = (name: string) =>
      defineWorkflow("work", (ctx) =>
        defineActivity("hold", async ({ instanceId }) => {
          trail.push(`${instanceId} by ${name}`);
          if (name === "one") await held.opened;
        })(ctx),
      );
    const lease = { leaseDuration: "1s", leaseRenewInterval: "100ms", shutdownTimeout: 0 } as const;
    const one = work("one");
    const client = await startApp({ worker: false });
    await startApp({ database: proxy.url, workerId: "one", workflows: [one], maxConcurrentInstances: 1, ...lease });
    const caught = proxy.catch((message) => CLAIM.test(message));
    const first = await one.with({ id: "a" }).start(client);
    const claim = await caught;
    // Not before: MySQL may lock more than it claims.
    const second = await one.with({ id: "b" }).start(client);
    // Due by the claim's own time, which is before its creation.
    await testDatabase().exec("update romancy_instances set wake_at = 1 where id = 'b' and wake_at is not null");
    // It has got over it, and claimed what it can.
    await until(() => trail.length === 1);
    const [mine, late] = trail[0] === "a by one" ? ["a", "b"] : ["b", "a"];
    expect(await ownerOf(late)).toBeNull();
    const before = await epochOf(late);
    await claim.deliver();
    // By that a claim is known when what it took has been given back already.
    await until(async () => (await epochOf(late)) > before);
    await startApp({ workerId: "two", workflows: [work("two")] });
    await client.handle(one, late).result();
    expect(trail).toEqual([`${mine} by one`, `${late} by two`]);
    held.open();
    await Promise.all([first.result(), second.result()]);
    expect(trail).toHaveLength(2);
  });
});

describe("a creation", () => {
  it("that lands when its worker is no more is run by another, once", async () => {
    const flow = defineWorkflow("flow", (ctx) => plain(ctx));
    const lease = { leaseDuration: "1s", staleWorkerCheckInterval: "100ms", shutdownTimeout: 0 } as const;
    const one = await startApp({ database: proxy.url, workerId: "one", workflows: [flow], ...lease });
    const caught = proxy.catch((message) => message.includes("the-late-one"));
    const started = expect(flow.with({ id: "the-late-one" }).start(one)).rejects.toBeInstanceOf(AppStateError);
    const creation = await caught;
    proxy.cut();
    await one.shutdown();
    await started;
    const two = await startApp({ workerId: "two", workflows: [flow], ...lease });
    const workers = (): Promise<unknown[]> => testDatabase().rows("select id from romancy_workers");
    await until(async () => (await workers()).length === 1);
    await creation.deliver();
    expect(await two.handle(flow, "the-late-one").result()).toBe(1);
    expect(await kinds("the-late-one")).toEqual(["activity_completed"]);
  });
});

describe("the note that a worker's lock is lost", () => {
  it("that lands when the worker has another one is put right", async () => {
    const lease = { leaseDuration: "1s", leaseRenewInterval: "100ms" } as const;
    await startApp({ database: proxy.url, workerId: "one", ...lease });
    const caught = proxy.catch((message) => message.includes("lock_name"));
    const [lock] = await lockNames();
    await terminateHolder(String(lock));
    const note = await caught;
    await until(async () => ![lock, null].includes((await lockNames())[0] as string));
    const [other] = await lockNames();
    await note.deliver();
    await until(async () => (await lockNames())[0] === other);
    expect(await isHeld(String(other))).toBe(true);
  });
});

it(`loses nothing and does nothing twice, whichever message is late (CRASH_SEED=${seed})`, {
  timeout: 120_000,
}, async () => {
  const flow = defineWorkflow("flow", async (ctx) => {
    await plain(ctx);
    await pay(ctx);
    await ctx.sleep(1);
    return plain(ctx);
  });
  const app = await startApp({ database: proxy.url, workflows: [flow], leaseDuration: "1s" });
  const roll = dice(seed);
  let n = 0;
  for (let wasCaught = true; wasCaught; ) {
    n++;
    let left = n;
    let isOver = false;
    const catching = proxy.catch(() => --left === 0);
    const caught = catching.then((message) => ({ message, since: proxy.messages }));
    const result = flow.start(app).then((handle) => handle.result().then(() => handle.id));
    void result.then(() => {
      isOver = true;
    });
    const late = await Promise.race([caught, result]);
    proxy.callOff();
    wasCaught = typeof late === "object";
    if (typeof late === "object") {
      // The app goes on with some messages first, unless it cannot.
      const others = roll(12) - 1;
      await until(async () => isOver || proxy.messages - late.since >= others || (await isWaiting()));
      await late.message.deliver();
    }
    const id = await result;
    const shown = `message ${n} was late`;
    expect([executions.get(`${id} plain:1`), executions.get(`${id} plain:2`)], shown).toEqual([1, 1]);
    expect(await paid(id), shown).toHaveLength(1);
    const completed = (await kinds(id)).filter((kind) => kind === "activity_completed");
    expect(completed, shown).toHaveLength(3);
    expect(await ownerOf(id), shown).toBeNull();
  }
  // The start, four commits and a session are many messages, even where some go together.
  expect(n).toBeGreaterThan(5);
});
