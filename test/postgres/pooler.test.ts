/** PgBouncer in between, which gives each transaction whichever connection is free. */
import { afterEach, describe, expect, it, type TestContext } from "vitest";
import { seed } from "../crash/random.ts";
import { STORM_TIMEOUT, storm } from "../processes/storm.ts";
import { crosswise } from "../servers/crosswise.ts";
import { killedUnderLoad } from "../servers/killed-under-load.ts";
import { startApp, testDatabase } from "../support/apps.ts";
import { lockNames } from "../support/locks.ts";
import { isCi } from "../support/servers/is-ci.ts";
import type { Pooling } from "../support/servers/pgbouncer.ts";
import { startPooler, type TestServer } from "../support/servers/server.ts";

let stop: () => Promise<void> = nothing;

/** A pooler before the test's database; without one to be had the test is skipped, and says why. */
async function pool(pooling: Pooling, context: TestContext): Promise<TestServer> {
  const pooler = await startPooler(testDatabase().url, pooling);
  if (typeof pooler !== "string") {
    stop = () => pooler.stop();
    return pooler;
  }
  if (isCi()) throw new Error(pooler);
  return context.skip(pooler);
}

// Before it is asked whether all that the test had open was closed.
afterEach(async () => {
  await stop();
  stop = nothing;
});

async function nothing(): Promise<void> {}

/** So few that clients are given each other's all the time, and enough for those that hold a lock. */
const FEW: Pooling = { mode: "transaction", connections: 8 };

const NOT_HEARD = /^Messages do not arrive through the database's connection/;

describe("a pooler of transactions", () => {
  it("lets workers send to each other all the time, and each tells once that it polls", async (context) => {
    const pooler = await pool(FEW, context);
    const warnings = await crosswise(pooler.url);
    expect(warnings).toEqual([expect.stringMatching(NOT_HEARD), expect.stringMatching(NOT_HEARD)]);
  }, 60_000);

  it(
    `survives the death of workers (CRASH_SEED=${seed})`,
    async (context) => {
      const pooler = await pool(FEW, context);
      await storm(pooler.url);
    },
    STORM_TIMEOUT,
  );

  it("may be killed under load", async (context) => {
    const pooler = await pool(FEW, context);
    await killedUnderLoad(pooler, pooler.url);
  }, 120_000);

  it("may have fewer connections than there are workers that start at once", async (context) => {
    await (await startApp()).shutdown();
    const pooler = await pool({ mode: "transaction", connections: 2 }, context);
    const apps = await Promise.all(
      ["a", "b", "c", "d"].map((workerId) => startApp({ database: pooler.url, workerId })),
    );
    await Promise.all(apps.map((app) => app.shutdown()));
  });

  it("is left with no lock, and with no channel listened to", async (context) => {
    const pooler = await pool(FEW, context);
    const app = await startApp({ database: pooler.url });
    const findings = await app.diagnose();
    await app.shutdown();
    const warned = findings.filter(({ status }) => status === "warning").map(({ check }) => check);
    expect(warned).toEqual(["messages", "locks"]);
    const [left] = await testDatabase().rows(`
      select count(distinct l.pid) as locks, count(distinct a.pid) filter (where a.query ilike 'listen%') as channels
      from pg_database d
      left join pg_locks l on l.database = d.oid and l.locktype = 'advisory'
      left join pg_stat_activity a on a.datid = d.oid
      where d.datname = current_database()`);
    expect(left).toEqual({ locks: 0, channels: 0 });
  });
});

it("a pooler of sessions changes nothing", async (context) => {
  const pooler = await pool({ mode: "session", connections: 50 }, context);
  expect(await crosswise(pooler.url)).toEqual([]);
  const app = await startApp({ database: pooler.url });
  expect((await app.diagnose()).filter(({ status }) => status !== "ok")).toEqual([]);
  expect(await lockNames()).toEqual([expect.stringMatching(/^romancy:/)]);
  await app.shutdown();
}, 60_000);
