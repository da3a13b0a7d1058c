/** Many workflows of three activities, so many in flight at once; beside it the bare loop of the same rows and batches. */
import { Romancy } from "romancy";
import { bareLoops } from "./bare/loops.ts";
import { counts } from "./counting.ts";
import { three } from "./flows.ts";
import { database, drive, type Figure, figure, kind, logger, quick, report, watchEventLoop } from "./harness.ts";

interface Run {
  /** Activities per second. */
  readonly rate: number;
  /** For each activity. */
  readonly commits: number;
  /** Milliseconds. */
  readonly longest: number;
}

async function engine(concurrency: number, instances: number): Promise<Run> {
  const { url, drop } = await database("engine");
  const app = new Romancy({ database: url, workflows: [three], logger });
  await app.start();
  const call = async (n: number): Promise<number> => (await three.start(app, n)).result();
  await drive(instances / 10, concurrency, call);
  const before = counts.commits;
  const stopWatching = watchEventLoop();
  const begun = performance.now();
  await drive(instances, concurrency, call);
  const seconds = (performance.now() - begun) / 1_000;
  const { longest } = stopWatching();
  const activities = instances * 3;
  const run = { rate: activities / seconds, commits: (counts.commits - before) / activities, longest };
  await app.shutdown();
  await drop();
  return run;
}

/** Activities per second. */
async function bare(concurrency: number, instances: number): Promise<number> {
  const { url, drop } = await database("bare");
  const seconds = await bareLoops[kind](url, instances, concurrency);
  await drop();
  return (instances * 3) / seconds;
}

const [few, many] = kind === "sqlite" ? [2_000, 30_000] : [500, 20_000];
const atLeast = kind === "sqlite" ? 50_000 : 25_000;
const figures: Figure[] = [];
for (const concurrency of [1, 64, 256, 1_000]) {
  const instances = (concurrency === 1 ? few : many) / (quick ? 10 : 1);
  const run = await engine(concurrency, instances);
  const rate = await bare(concurrency, instances);
  const at = `at concurrency ${concurrency}`;
  figures.push(
    figure(`engine ${at}`, run.rate, "activities/s", concurrency === 256 ? { atLeast } : undefined),
    figure(`bare loop ${at}`, rate, "activities/s"),
    figure(`engine / bare loop ${at}`, run.rate / rate, ""),
    figure(`commits per activity ${at}`, run.commits, ""),
    figure(`longest block of the event loop ${at}`, run.longest, "ms"),
  );
}
report(figures);
