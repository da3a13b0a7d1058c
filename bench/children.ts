/** Children: each of many parents awaits one; one parent awaits many. */
import { defineWorkflow, Romancy } from "romancy";
import { database, drive, figure, logger, quick, report } from "./harness.ts";

const CONCURRENCY = 256;
const PARENTS = quick ? 256 : 2_560;
const FAMILY = quick ? 100 : 1_000;

const child = defineWorkflow("child", (_ctx, n: number) => Promise.resolve(n));

const parent = defineWorkflow("parent", (ctx, n: number) => child(ctx, n));

const family = defineWorkflow("family", async (ctx, size: number) => {
  const results = await Promise.all(Array.from({ length: size }, (_, n) => child(ctx, n)));
  return results.length;
});

const { url, drop } = await database("children");
const app = new Romancy({ database: url, workflows: [child, parent, family], logger });
await app.start();
const one = async (n: number): Promise<number> => (await parent.start(app, n)).result();
await drive(CONCURRENCY, CONCURRENCY, one);
const begun = performance.now();
await drive(PARENTS, CONCURRENCY, one);
const seconds = (performance.now() - begun) / 1_000;
const before = performance.now();
await (await family.start(app, FAMILY)).result();
const whole = performance.now() - before;
await app.shutdown();
await drop();
report([
  figure(`parents that await a child, at concurrency ${CONCURRENCY}`, PARENTS / seconds, "parents/s"),
  figure(`a parent that awaits ${FAMILY} children at once has ended after`, whole, "ms"),
]);
