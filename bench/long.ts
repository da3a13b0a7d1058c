/** One workflow of 10,000 activities, one after the other; then its replay by another app. */
import { defineWorkflow, Romancy } from "romancy";
import { step } from "./flows.ts";
import { database, figure, logger, percentile, quick, report, until, watchEventLoop } from "./harness.ts";

const REPLAYS = 3;
const length = quick ? 2_000 : 10_000;
/** When each tenth of the activities was done. */
let marks: number[] = [];
let begun = 0;

const long = defineWorkflow("long", async (ctx) => {
  begun = performance.now();
  for (let n = 1; n <= length; n++) {
    await step(ctx, n);
    if (n % (length / 10) === 0) marks.push(performance.now());
  }
  await ctx.sleep("1h");
});
const at = (tenth: number): number => marks[tenth] ?? Number.NaN;

const { url, rows, drop } = await database();
const first = new Romancy({ database: url, workflows: [long], logger });
await first.start();
const handle = await long.start(first);
await until(async () => (await handle.status()) === "waiting", 50);
await first.shutdown();
const [start, tenth, ninth, end] = [begun, at(0), at(8), at(9)];

const replays: { time: number; longest: number }[] = [];
for (let n = 0; n < REPLAYS; n++) replays.push(await replay());
await drop();
const median = (values: readonly number[]): number => percentile(values, 0.5);

report([
  figure(`${length} activities, one after the other`, length / ((end - start) / 1_000), "activities/s"),
  figure("the first tenth, each", (tenth - start) / (length / 10), "ms"),
  figure("the last tenth, each", (end - ninth) / (length / 10), "ms"),
  figure(
    `replay of ${length}, from the app's start, median of ${REPLAYS}`,
    median(replays.map(({ time }) => time)),
    "ms",
    {
      below: 300,
    },
  ),
  figure(
    "longest block of the event loop while replaying, median",
    median(replays.map(({ longest }) => longest)),
    "ms",
    {
      below: 20,
    },
  ),
]);

/** By an app of its own: until the last activity has been answered. In milliseconds. */
async function replay(): Promise<{ time: number; longest: number }> {
  await rows("update romancy_instances set wake_at = 1");
  marks = [];
  const app = new Romancy({ database: url, workflows: [long], logger });
  const stopWatching = watchEventLoop();
  const opened = performance.now();
  await app.start();
  await until(() => marks.length === 10);
  const { longest } = stopWatching();
  await app.shutdown();
  return { time: at(9) - opened, longest };
}
