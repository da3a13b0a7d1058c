/** Instances that sleep: what they cost in memory, and how they wake when many are due at one instant. */
import { spawnSync } from "node:child_process";
import { DatabaseSync } from "node:sqlite";
import { defineWorkflow, Romancy } from "romancy";
import { databaseFile, type Figure, figure, percentile, quick, report, until, watchEventLoop } from "./harness.ts";

const [role = "parent", given = ""] = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));

const lateness: number[] = [];
const nap = defineWorkflow("nap", async (ctx, at: number) => {
  await ctx.sleepUntil(new Date(at));
  lateness.push(Date.now() - at);
});

if (role === "asleep") await whileAsleep(given);
else {
  const many = quick ? 5_000 : 100_000;
  report([...(await wake(quick ? 500 : 5_000, 4_000)), ...(await wake(many, quick ? 6_000 : 60_000))]);
}

/** Starts so many that sleep until one instant, and watches them wake. */
async function wake(count: number, ahead: number): Promise<Figure[]> {
  lateness.length = 0;
  const file = databaseFile(`sleepers-${count}`);
  const app = new Romancy({ database: file, workflows: [nap] });
  await app.start();
  const at = Date.now() + ahead;
  const begun = performance.now();
  let started = 0;
  const drive = async (): Promise<void> => {
    while (started++ < count) await nap.start(app, at);
  };
  await Promise.all(Array.from({ length: 256 }, drive));
  const startRate = count / ((performance.now() - begun) / 1_000);
  await until(() => allAsleep(file, count));
  const memory = ahead > 10_000 ? memoryOfAnother(file) : [];
  globalThis.gc?.();
  const stopWatching = watchEventLoop();
  await until(() => lateness.length === count);
  const { longest, longestCollection } = stopWatching();
  await app.shutdown();
  return [
    figure(`start of ${count} sleepers`, startRate, "instances/s"),
    ...memory,
    figure(`${count} due together, lateness p50`, percentile(lateness, 0.5), "ms"),
    figure(`${count} due together, lateness p99`, percentile(lateness, 0.99), "ms"),
    figure(`${count} due together, longest block of the event loop`, longest, "ms", "< 20 but for the collector"),
    figure(`${count} due together, longest garbage collection`, longestCollection, "ms"),
  ];
}

function allAsleep(file: string, count: number): boolean {
  const database = new DatabaseSync(file, { readOnly: true });
  const row = database.prepare("select count(*) as n from romancy_instances where status = 'waiting'").get();
  database.close();
  return row?.["n"] === count;
}

/** In a process that has not started them itself: what remains is what sleepers cost, not what starting them left behind. */
function memoryOfAnother(file: string): Figure[] {
  const options = [...process.execArgv, import.meta.filename, "asleep", file];
  return JSON.parse(spawnSync(process.execPath, options, { encoding: "utf8" }).stdout) as Figure[];
}

async function whileAsleep(file: string): Promise<void> {
  const app = new Romancy({ database: file, workflows: [nap] });
  await app.start();
  await new Promise((resolve) => setTimeout(resolve, 500));
  globalThis.gc?.();
  const { rss, heapUsed } = process.memoryUsage();
  await app.shutdown();
  report([
    figure("memory of a worker with all of them asleep, resident", rss / 1e6, "MB", "< 200"),
    figure("memory of a worker with all of them asleep, heap", heapUsed / 1e6, "MB"),
  ]);
}
