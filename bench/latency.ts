/** One workflow of one activity after the other, from `start` to its result: in one process, and by a worker in another. */
import { Romancy } from "romancy";
import { one } from "./flows.ts";
import { database, type Figure, figure, kind, logger, percentile, quick, report, type Target } from "./harness.ts";
import { argument, Child, onAsked, role, tell } from "./processes.ts";

if (role === "parent") {
  const inProcess = kind === "sqlite" ? 4_000 : 1_500;
  const across = kind === "postgres" ? 1_000 : 200;
  const share = quick ? 10 : 1;
  report([
    ...(await measure("in one process", true, inProcess / share, { below: kind === "sqlite" ? 2 : 3 })),
    ...(await measure("across processes", false, across / share, kind === "postgres" ? { below: 15 } : undefined)),
  ]);
} else await work(argument);

async function measure(where: string, isWorker: boolean, count: number, p50: Target | undefined): Promise<Figure[]> {
  const { url, drop } = await database(isWorker ? "here" : "across");
  const app = new Romancy({ database: url, workflows: isWorker ? [one] : [], worker: isWorker, logger });
  await app.start();
  const worker = isWorker ? undefined : Child.start(import.meta.filename, ["worker", url]);
  await worker?.heard("ready");
  const times: number[] = [];
  for (let n = 0; n < count; n++) {
    const begun = performance.now();
    await (await one.start(app, n)).result();
    times.push(performance.now() - begun);
  }
  await worker?.end();
  await app.shutdown();
  await drop();
  const warm = times.slice(times.length / 4);
  return [
    figure(`start to result ${where}, p50`, percentile(warm, 0.5), "ms", p50),
    figure(`start to result ${where}, p95`, percentile(warm, 0.95), "ms"),
    figure(`start to result ${where}, p99`, percentile(warm, 0.99), "ms"),
  ];
}

async function work(url: string): Promise<void> {
  onAsked({});
  const app = new Romancy({ database: url, workflows: [one], logger });
  await app.start();
  tell("ready");
}
