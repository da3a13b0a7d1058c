/** One workflow of 10,000 activities, one after the other; then its replay by another app. */
import { DatabaseSync } from "node:sqlite";
import { defineActivity, defineWorkflow, Romancy } from "romancy";
import { databaseFile, figure, quick, report, until, watchEventLoop } from "./harness.ts";

const length = quick ? 2_000 : 10_000;
/** When each tenth of the activities was done. */
let marks: number[] = [];
let begun = 0;

const step = defineActivity("step", async (_ctx, n: number) => n + 1);
const long = defineWorkflow("long", async (ctx) => {
  begun = performance.now();
  for (let n = 1; n <= length; n++) {
    await step(ctx, n);
    if (n % (length / 10) === 0) marks.push(performance.now());
  }
  await ctx.sleep("1h");
});
const at = (tenth: number): number => marks[tenth] ?? Number.NaN;

const first = new Romancy({ database: databaseFile(), workflows: [long] });
await first.start();
const handle = await long.start(first);
await until(async () => (await handle.status()) === "waiting");
await first.shutdown();
const [start, tenth, ninth, end] = [begun, at(0), at(8), at(9)];

const database = new DatabaseSync(databaseFile());
database.exec("update romancy_instances set wake_at = 1");
database.close();
marks = [];
const second = new Romancy({ database: databaseFile(), workflows: [long] });
const stopWatching = watchEventLoop();
const opened = performance.now();
await second.start();
await until(() => marks.length === 10);
const { longest } = stopWatching();
await second.shutdown();

report([
  figure(`${length} activities, one after the other`, length / ((end - start) / 1_000), "activities/s"),
  figure("the first tenth, each", (tenth - start) / (length / 10), "ms"),
  figure("the last tenth, each", (end - ninth) / (length / 10), "ms"),
  figure(`replay of ${length}, from the app's start`, at(9) - opened, "ms", "< 300"),
  figure("longest block of the event loop while replaying", longest, "ms", "< 20"),
]);
