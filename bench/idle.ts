/** What a worker asks of its database while there is nothing to do. */
import { setTimeout as wait } from "node:timers/promises";
import { Romancy } from "romancy";
import { counts } from "./counting.ts";
import { three } from "./flows.ts";
import { database, figure, logger, quick, report } from "./harness.ts";

/** Milliseconds. */
const SETTLE = quick ? 3_000 : 5_000;
const DURING = quick ? 3_000 : 15_000;

const { url, drop } = await database();
const app = new Romancy({ database: url, workflows: [three], logger });
await app.start();
await (await three.start(app, 1)).result();
await wait(SETTLE);
const before = counts.queries;
const begun = performance.now();
await wait(DURING);
const seconds = (performance.now() - begun) / 1_000;
const queries = counts.queries - before;
await app.shutdown();
await drop();

report([figure("queries of an idle worker", queries / seconds, "queries/s", { below: 2 })]);
