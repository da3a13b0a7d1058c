/** A chain that is long costs what a short one does, for each of its members. */
import { expect, it } from "vitest";
import { NO_SEAMS, type Seams } from "../../src/engine/seams.ts";
import { defineActivity, defineWorkflow } from "../../src/index.ts";
import { startApp, testDatabase } from "../support/apps.ts";
import { databaseKind, watchDriver } from "../support/database.ts";

const HOPS = databaseKind === "sqlite" ? 10_000 : 1_000;

/** Bytes by which the heap may have grown: far less than a kilobyte for each of 8,000 members, where there are as many. */
const SLACK = 3_000_000;

/** As with the tests' servers, nothing waits for the disk: so many commits would last as long as it pleases. */
const unsynced: Seams = {
  ...NO_SEAMS,
  async open(open) {
    const database = await open();
    if (databaseKind === "sqlite") await database.writer.script("pragma synchronous = off");
    return database;
  },
};

const add = defineActivity("add", (_, n: number) => n + 1);

it("keeps nothing of its members in memory, and asks the database for the same", { timeout: 120_000 }, async () => {
  const marks: { heap: number; statements: number }[] = [];
  let statements = 0;
  const stop = watchDriver({
    after(_, effect) {
      // Reads outside transactions are mostly the worker's looks around, which go by time.
      if (effect.open || effect.changed) statements += effect.statements;
    },
  });
  const counter = defineWorkflow("counter", async (ctx, n: number): Promise<number> => {
    if (n % (HOPS / 10) === 0) {
      globalThis.gc?.();
      marks.push({ heap: process.memoryUsage().heapUsed, statements });
    }
    const next = await add(ctx, n);
    return next === HOPS ? next : ctx.recur(next);
  });
  try {
    const app = await startApp({ workflows: [counter], "~seams": unsynced });
    const handle = await counter.start(app, 0);
    expect(await handle.result()).toBe(HOPS);
  } finally {
    stop();
  }
  expect(marks).toHaveLength(10);
  const perHop = marks.slice(1).map((mark, n) => (mark.statements - (marks[n]?.statements ?? 0)) / (HOPS / 10));
  expect(perHop[0]).toBeGreaterThan(1);
  // But for the worker's lease, which is renewed by time, too.
  expect(Math.abs((perHop.at(-1) ?? 0) - (perHop[0] ?? 0)), perHop.join(", ")).toBeLessThan(1);
  const heaps = marks.map(({ heap }) => heap);
  expect((heaps.at(-1) ?? 0) - (heaps[1] ?? 0), heaps.join(", ")).toBeLessThan(SLACK);
  const [row] = await testDatabase().rows("select count(*) as n, max(generation) as last from romancy_chains");
  expect([Number(row?.["n"]), Number(row?.["last"])]).toEqual([HOPS, HOPS - 1]);
});
