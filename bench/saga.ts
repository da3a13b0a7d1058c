/** Workflows of ten activities of which the last fails, so that nine are undone; so many in flight at once. */
import { type Activity, defineActivity, defineWorkflow, Romancy, TerminalError } from "romancy";
import { counts } from "./counting.ts";
import { database, drive, type Figure, figure, kind, logger, quick, report } from "./harness.ts";

const STEPS = 9;

const step: Activity<[n: number], number> = defineActivity("step", async (_ctx, n: number) => n + 1, {
  compensation: async () => {},
});

const decline = defineActivity("decline", (): void => {
  throw new TerminalError("declined");
});

const saga = defineWorkflow("saga", async (ctx, n: number): Promise<void> => {
  let value = n;
  for (let made = 0; made < STEPS; made++) value = await step(ctx, value);
  await decline(ctx);
});

interface Run {
  /** Compensations per second, of the whole run: with the activities that they undo. */
  readonly rate: number;
  /** For each activity and compensation. */
  readonly commits: number;
}

async function measure(concurrency: number, instances: number): Promise<Run> {
  const { url, drop } = await database();
  const app = new Romancy({ database: url, workflows: [saga], logger });
  await app.start();
  const call = async (n: number): Promise<void> => {
    const ended = await (await saga.start(app, n)).result().then(
      () => "completed",
      () => "failed",
    );
    if (ended !== "failed") throw new Error("A saga has not failed.");
  };
  await drive(Math.ceil(instances / 10), concurrency, call);
  const before = counts.commits;
  const begun = performance.now();
  await drive(instances, concurrency, call);
  const seconds = (performance.now() - begun) / 1_000;
  const commits = (counts.commits - before) / (instances * (2 * STEPS + 1));
  await app.shutdown();
  await drop();
  return { rate: (instances * STEPS) / seconds, commits };
}

const [few, many] = kind === "sqlite" ? [300, 5_000] : [100, 3_000];
const figures: Figure[] = [];
for (const concurrency of [1, 64, 256]) {
  const instances = (concurrency === 1 ? few : many) / (quick ? 10 : 1);
  const { rate, commits } = await measure(concurrency, instances);
  const at = `at concurrency ${concurrency}`;
  figures.push(
    figure(`sagas that fail at the last of 10 activities ${at}`, rate, "compensations/s"),
    figure(`commits per activity or compensation ${at}`, commits, ""),
  );
}
report(figures);
