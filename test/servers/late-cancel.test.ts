/** Cancels whose connections are cut, and whose messages reach the server later, or whose answers never come. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { defineActivity, defineWorkflow, InstanceNotCancellableError, retryPolicies } from "../../src/index.ts";
import { dice, seed } from "../crash/random.ts";
import { startApp, testDatabase } from "../support/apps.ts";
import { placeholders } from "../support/database.ts";
import { isWaiting } from "../support/locks.ts";
import { failureOf } from "../support/trail.ts";
import { type Gate, gate, until } from "../support/wait.ts";
import { cuttingProxy } from "./cutting-proxy.ts";
import { LateProxy } from "./late-proxy.ts";

vi.setConfig({ testTimeout: 120_000 });

const INSERT = placeholders("insert into ledger (instance_id, entry) values (?, ?)");

let proxy: LateProxy;
/** One for each instance: it ends when its gate is opened. */
let gates: Map<string, Gate>;
let begun: Set<string>;
/** Cleanups of each instance. */
let tidied: Map<string, number>;

beforeEach(async () => {
  proxy = await LateProxy.open(testDatabase().url);
  gates = new Map();
  begun = new Set();
  tidied = new Map();
  await testDatabase().exec("create table ledger (instance_id varchar(100), entry varchar(100))");
});

afterEach(() => proxy.close());

const charge = defineActivity(
  "charge",
  async (ctx) => void (await ctx.session.query(INSERT, [ctx.instanceId, "charged"])),
  {
    retry: retryPolicies.fixed(5, 1),
    compensation: async (ctx) => void (await ctx.session.query(INSERT, [ctx.instanceId, "refunded"])),
  },
);

const held = defineActivity("held", async ({ instanceId }) => {
  begun.add(instanceId);
  await gates.get(instanceId)?.opened;
});

const tidy = defineActivity("tidy", ({ instanceId }) => {
  tidied.set(instanceId, (tidied.get(instanceId) ?? 0) + 1);
});

const ends = defineWorkflow("ends", async (ctx) => {
  await charge(ctx);
  await held(ctx);
});

const waits = defineWorkflow("waits", async (ctx) => {
  await charge(ctx);
  try {
    await ctx.waitEvent("never");
  } finally {
    await ctx.cleanup(() => tidy(ctx));
  }
});

async function ledger(id: string): Promise<unknown[]> {
  const rows = await testDatabase().rows("select entry from ledger where instance_id = ? order by entry", [id]);
  return rows.map(({ entry }) => entry);
}

async function answerTo(cancelled: Promise<void>): Promise<"cancelled" | "completed"> {
  return cancelled.then(
    () => "cancelled" as const,
    (error: unknown) => {
      expect(error).toBeInstanceOf(InstanceNotCancellableError);
      return "completed" as const;
    },
  );
}

it("is answered with what becomes of the instance, whichever message of it is late", async () => {
  const worker = await startApp({ workflows: [ends] });
  const client = await startApp({ database: proxy.url, worker: false });
  let n = 0;
  for (let wasCaught = true; wasCaught; ) {
    n++;
    // The instance ends while the message is on its way, or goes on.
    for (const endsFirst of [true, false]) {
      const id = `${n} ${endsFirst}`;
      gates.set(id, gate());
      const handle = await ends.with({ id }).start(worker);
      await until(() => begun.has(id));
      let left = n;
      const catching = proxy.catch(() => --left === 0);
      const answer = answerTo(client.cancel(id, "late"));
      const late = await Promise.race([catching, answer]);
      proxy.callOff();
      wasCaught = typeof late === "object";
      if (typeof late === "object") {
        if (endsFirst) gates.get(id)?.open();
        // It cannot end while the late transaction is open.
        await until(async () => !endsFirst || (await handle.status()) === "completed" || (await isWaiting()));
        await late.deliver();
      }
      const told = await answer;
      gates.get(id)?.open();
      await handle.result().catch(() => {});
      expect(await handle.status(), id).toBe(told);
      expect(await ledger(id), id).toEqual(told === "cancelled" ? ["charged", "refunded"] : ["charged"]);
    }
  }
  expect(n).toBeGreaterThan(1);
});

it("is made once when its answer is lost, or it never arrives", async () => {
  const cutting = await cuttingProxy(testDatabase().url);
  try {
    const worker = await startApp({ workflows: [ends] });
    const client = await startApp({ database: cutting.url, worker: false });
    for (const where of ["request", "answer"] as const) {
      let n = 0;
      for (let wasCut = true; wasCut; ) {
        const id = `${where} ${++n}`;
        gates.set(id, gate());
        const handle = await ends.with({ id }).start(worker);
        await until(() => begun.has(id));
        cutting.arm(n, where);
        const told = await answerTo(client.cancel(id, `the first of ${id}`));
        wasCut = cutting.disarm();
        expect(told, id).toBe("cancelled");
        expect((await failureOf(handle.result())).cause, id).toMatchObject({ reason: `the first of ${id}` });
        expect(await ledger(id), id).toEqual(["charged", "refunded"]);
        gates.get(id)?.open();
      }
      expect(n).toBeGreaterThan(1);
    }
  } finally {
    await cutting.close();
  }
});

it(`undoes everything once, whichever message of the worker is late after it (CRASH_SEED=${seed})`, async () => {
  await startApp({ database: proxy.url, workflows: [waits], leaseDuration: "1s" });
  const client = await startApp({ worker: false });
  const roll = dice(seed);
  let n = 0;
  for (let wasCaught = true; wasCaught; ) {
    const id = `worker ${++n}`;
    const handle = await waits.with({ id }).start(client);
    await until(async () => (await handle.status()) === "waiting");
    let left = n;
    let isOver = false;
    const catching = proxy.catch(() => --left === 0);
    const caught = catching.then((message) => ({ message, since: proxy.messages }));
    await handle.cancel("enough");
    const failed = failureOf(handle.result());
    void failed.then(() => {
      isOver = true;
    });
    const late = await Promise.race([caught, failed]);
    proxy.callOff();
    wasCaught = "message" in late && "since" in late;
    if ("since" in late) {
      // The worker goes on with some messages first, unless it cannot.
      const others = roll(12) - 1;
      await until(async () => isOver || proxy.messages - late.since >= others || (await isWaiting()));
      await late.message.deliver();
    }
    expect((await failed).cause, id).toMatchObject({ name: "CancelledError", reason: "enough" });
    expect(await handle.status(), id).toBe("cancelled");
    expect(await ledger(id), id).toEqual(["charged", "refunded"]);
    expect(tidied.get(id), id).toBe(1);
  }
  // The claim, the cleanup, the session of the compensation and the end.
  expect(n).toBeGreaterThan(4);
});
