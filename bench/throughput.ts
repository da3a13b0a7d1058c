/**
 * Many workflows of three activities, so many in flight at once; beside it the bare loop of the same rows and batches. The
 * two are measured in turns, and of several turns the middle is told: machines that others use, too, swing by half.
 */
import { Romancy } from "romancy";
import { bareLoops } from "./bare/loops.ts";
import { counts } from "./counting.ts";
import { three } from "./flows.ts";
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
  watchEventLoop,
} from "./harness.ts";

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

/** What is measured again and again: the concurrency of which targets speak. */
const AIMED_AT = 256;
const TURNS = 5;

const [few, many] = kind === "sqlite" ? [2_000, 30_000] : [500, 20_000];
const atLeast = kind === "sqlite" ? 50_000 : 25_000;
const figures: Figure[] = [];
for (const concurrency of [1, 64, AIMED_AT, 1_000]) {
  const isAimedAt = concurrency === AIMED_AT;
  const instances = (concurrency === 1 ? few : many) / (quick ? 10 : 1);
  const turns: { run: Run; bare: number }[] = [];
  for (let turn = 0; turn < (isAimedAt ? TURNS : 1); turn++) {
    turns.push({ run: await engine(concurrency, instances), bare: await bare(concurrency, instances) });
  }
  const middle = (value: (turn: (typeof turns)[number]) => number): number => percentile(turns.map(value), 0.5);
  const at = `at concurrency ${concurrency}`;
  figures.push(
    figure(
      `engine ${at}`,
      middle(({ run }) => run.rate),
      "activities/s",
      isAimedAt ? { atLeast } : undefined,
    ),
    ...(isAimedAt
      ? [figure(`the best of ${TURNS} turns`, Math.max(...turns.map(({ run }) => run.rate)), "activities/s")]
      : []),
    figure(
      `bare loop ${at}`,
      middle((turn) => turn.bare),
      "activities/s",
    ),
    figure(
      `engine / bare loop ${at}`,
      middle((turn) => turn.run.rate / turn.bare),
      "",
    ),
    figure(
      `commits per activity ${at}`,
      middle(({ run }) => run.commits),
      "",
    ),
    figure(
      `longest block of the event loop ${at}`,
      middle(({ run }) => run.longest),
      "ms",
    ),
  );
}
report(figures);
