/** Many workflows of three activities, so many in flight at once; beside it the bare loop of the same rows and batches. */
import { DatabaseSync } from "node:sqlite";
import { defineActivity, defineWorkflow, Romancy } from "romancy";
import { bareLoop } from "./bare-loop.ts";
import { databaseFile, type Figure, figure, quick, report, watchEventLoop } from "./harness.ts";

const step = defineActivity("step", async (_ctx, n: number) => n + 1);
const three = defineWorkflow("three", async (ctx, n: number) => {
  const a = await step(ctx, n);
  const b = await step(ctx, a);
  return step(ctx, b);
});

let commits = 0;
const exec = DatabaseSync.prototype.exec;
DatabaseSync.prototype.exec = function counted(this: DatabaseSync, sql: string): void {
  if (sql === "commit") commits++;
  exec.call(this, sql);
};

async function engine(
  concurrency: number,
  instances: number,
): Promise<{ rate: number; commits: number; longest: number }> {
  const app = new Romancy({ database: databaseFile(`engine-${concurrency}`), workflows: [three] });
  await app.start();
  let started = 0;
  const drive = async (limit: number): Promise<void> => {
    while (started < limit) await (await three.start(app, started++)).result();
  };
  await Promise.all(Array.from({ length: concurrency }, () => drive(instances / 10)));
  const before = commits;
  const first = started;
  const stopWatching = watchEventLoop();
  const begun = performance.now();
  await Promise.all(Array.from({ length: concurrency }, () => drive(first + instances)));
  const seconds = (performance.now() - begun) / 1_000;
  const { longest } = stopWatching();
  const result = {
    rate: ((started - first) * 3) / seconds,
    commits: (commits - before) / ((started - first) * 3),
    longest,
  };
  await app.shutdown();
  return result;
}

const figures: Figure[] = [];
for (const concurrency of [1, 64, 256, 1_000]) {
  const instances = (concurrency === 1 ? 2_000 : 30_000) / (quick ? 10 : 1);
  const run = await engine(concurrency, instances);
  const bare = bareLoop(databaseFile(`bare-${concurrency}`), instances, concurrency);
  const target = concurrency === 256 ? ">= 50,000" : undefined;
  const at = `at concurrency ${concurrency}`;
  figures.push(
    figure(`engine ${at}`, run.rate, "activities/s", target),
    figure(`bare loop ${at}`, bare, "activities/s"),
    figure(`engine / bare loop ${at}`, run.rate / bare, ""),
    figure(`commits per activity ${at}`, run.commits, ""),
    figure(`longest block of the event loop ${at}`, run.longest, "ms"),
  );
}
report(figures);
