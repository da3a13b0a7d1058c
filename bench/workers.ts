/** The workflows of `throughput` by two worker processes: each starts its own, or a client in a third starts all. */
import { Romancy } from "romancy";
import { counts } from "./counting.ts";
import { three } from "./flows.ts";
import { database, drive, type Figure, figure, logger, quick, report } from "./harness.ts";
import { argument, Child, onAsked, role, tell } from "./processes.ts";

const instances = quick ? 2_000 : 20_000;
const WORKERS = 2;

if (role === "parent") {
  const figures: Figure[] = [];
  for (const concurrency of [256, 1_000]) {
    const own = await byTheirOwn(concurrency);
    const given = await byClient(concurrency);
    figures.push(
      figure(`each starts its own, ${concurrency} at once in all`, own, "activities/s"),
      figure(`a client starts all, ${concurrency} at once`, given.rate, "activities/s"),
      figure(`the client's queries per instance, ${concurrency} at once`, given.queries, ""),
    );
  }
  report(figures);
} else await work(argument, Number(role));

/** @param concurrency how many instances it starts at once itself */
async function work(url: string, concurrency: number): Promise<void> {
  const app = new Romancy({ database: url, workflows: [three], logger });
  await app.start();
  const run = (times: number): Promise<void> =>
    drive(times, concurrency, async (n) => (await three.start(app, n)).result());
  onAsked({
    async warm() {
      await run(instances / 10 / WORKERS);
      tell("warm");
    },
    async go() {
      await run(instances / WORKERS);
      tell("done");
    },
    async end() {
      await app.shutdown();
      process.disconnect();
    },
  });
  tell("ready");
}

/** Activities per second. */
async function byTheirOwn(concurrency: number): Promise<number> {
  const { url, drop } = await database("own");
  const workers = await start(url, concurrency / WORKERS);
  await together(workers, "warm", "warm");
  const begun = performance.now();
  await together(workers, "go", "done");
  const seconds = (performance.now() - begun) / 1_000;
  await Promise.all(workers.map((worker) => worker.end()));
  await drop();
  return (instances * 3) / seconds;
}

/** Activities per second, and the client's queries for each instance. */
async function byClient(concurrency: number): Promise<{ rate: number; queries: number }> {
  const { url, drop } = await database("given");
  const client = new Romancy({ database: url, worker: false, logger });
  await client.start();
  const workers = await start(url, 0);
  const call = async (n: number): Promise<number> => (await three.start(client, n)).result();
  await drive(instances / 10, concurrency, call);
  const before = counts.queries;
  const begun = performance.now();
  await drive(instances, concurrency, call);
  const seconds = (performance.now() - begun) / 1_000;
  const queries = (counts.queries - before) / instances;
  await Promise.all(workers.map((worker) => worker.end()));
  await client.shutdown();
  await drop();
  return { rate: (instances * 3) / seconds, queries };
}

async function start(url: string, concurrency: number): Promise<Child[]> {
  const workers = Array.from({ length: WORKERS }, () => Child.start(import.meta.filename, [String(concurrency), url]));
  await Promise.all(workers.map((worker) => worker.heard("ready")));
  return workers;
}

async function together(workers: readonly Child[], ask: string, answer: string): Promise<void> {
  for (const worker of workers) worker.ask(ask);
  await Promise.all(workers.map((worker) => worker.heard(answer)));
}
