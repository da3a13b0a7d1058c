/** Instances that sleep: what they cost in memory, and how they wake when many are due at one instant. */
import { setTimeout as wait } from "node:timers/promises";
import { defineWorkflow, Romancy } from "romancy";
import type { BenchDatabase } from "./databases.ts";
import {
  database,
  drive,
  type Figure,
  figure,
  kind,
  logger,
  percentile,
  quick,
  report,
  until,
  watchEventLoop,
} from "./harness.ts";
import { argument, Child, onAsked, role, tell } from "./processes.ts";

const lateness: number[] = [];
const nap = defineWorkflow("nap", async (ctx, at: number) => {
  await ctx.sleepUntil(new Date(at));
  lateness.push(Date.now() - at);
});

const SHARE = quick ? 10 : 1;
const LESS_COLLECTOR = { below: 20, but: "but for the collector" };

if (role === "parent") {
  const figures = await wake(5_000 / SHARE, 4_000);
  if (kind === "sqlite") figures.push(...(await wake(100_000 / SHARE, quick ? 8_000 : 30_000, true)));
  report(figures);
} else await whileAsleep(argument);

/**
 * Starts so many that sleep until one instant, and watches them wake.
 *
 * @param ahead milliseconds until that instant
 */
async function wake(count: number, ahead: number, withMemory = false): Promise<Figure[]> {
  lateness.length = 0;
  const own = await database(`sleepers_${count}`);
  const app = new Romancy({ database: own.url, workflows: [nap], logger });
  await app.start();
  const at = Date.now() + ahead;
  const begun = performance.now();
  await drive(count, 256, () => nap.start(app, at));
  const startRate = count / ((performance.now() - begun) / 1_000);
  await until(() => allAsleep(own, count), 50);
  const memory = withMemory ? await memoryOfAnother(own.url) : [];
  globalThis.gc?.();
  if (Date.now() > at - 100) throw new Error(`The ${count} sleepers were not all asleep in time.`);
  const stopWatching = watchEventLoop();
  await until(() => lateness.length === count);
  const { longest, longestCollection } = stopWatching();
  await app.shutdown();
  await own.drop();
  const due = `${count} due together`;
  return [
    figure(`start of ${count} sleepers`, startRate, "instances/s"),
    ...memory,
    figure(`${due}, lateness p50`, percentile(lateness, 0.5), "ms"),
    figure(`${due}, lateness p99`, percentile(lateness, 0.99), "ms"),
    figure(`${due}, longest block of the event loop`, longest, "ms", LESS_COLLECTOR),
    figure(`${due}, longest garbage collection`, longestCollection, "ms"),
  ];
}

async function allAsleep({ rows }: BenchDatabase, count: number): Promise<boolean> {
  const [row] = await rows("select count(*) as n from romancy_instances where status = 'waiting'");
  return Number(row?.["n"]) === count || lateness.length > 0;
}

/** In a process that has not started them itself: what remains is what sleepers cost, not what starting them left behind. */
async function memoryOfAnother(url: string): Promise<Figure[]> {
  const child = Child.start(import.meta.filename, ["asleep", url]);
  const [rss = 0, heap = 0] = (await child.said("memory")).split(" ").map(Number);
  await child.end();
  return [
    figure("memory of a worker with all of them asleep, resident", rss / 1e6, "MB", { below: 200 }),
    figure("memory of a worker with all of them asleep, heap", heap / 1e6, "MB"),
  ];
}

async function whileAsleep(url: string): Promise<void> {
  onAsked({});
  const app = new Romancy({ database: url, workflows: [nap], logger });
  await app.start();
  await wait(500);
  globalThis.gc?.();
  const { rss, heapUsed } = process.memoryUsage();
  tell("memory", `${rss} ${heapUsed}`);
}
