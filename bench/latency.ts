/** One workflow of one activity after the other: from `start` to its result. */
import { defineActivity, defineWorkflow, Romancy } from "romancy";
import { databaseFile, figure, percentile, quick, report } from "./harness.ts";

const step = defineActivity("step", async (_ctx, n: number) => n + 1);
const one = defineWorkflow("one", (ctx, n: number) => step(ctx, n));

const app = new Romancy({ database: databaseFile(), workflows: [one] });
await app.start();
const times: number[] = [];
for (let n = 0; n < (quick ? 400 : 4_000); n++) {
  const begun = performance.now();
  await (await one.start(app, n)).result();
  times.push(performance.now() - begun);
}
await app.shutdown();

const warm = times.slice(times.length / 4);
report([
  figure("start to result, p50", percentile(warm, 0.5), "ms", "< 2"),
  figure("start to result, p95", percentile(warm, 0.95), "ms"),
  figure("start to result, p99", percentile(warm, 0.99), "ms"),
]);
