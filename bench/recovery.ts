/** SIGKILL after 1,000 activities; a new process on the same file: how long until it goes on. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { defineActivity, defineWorkflow, Romancy } from "romancy";
import { databaseFile, figure, report } from "./harness.ts";

const [role = "parent", file = databaseFile()] = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));

const step = defineActivity("step", async (_ctx, n: number) => n + 1);
const signal = defineActivity("signal", async () => {
  console.log(`live ${performance.timeOrigin + performance.now()}`);
  await new Promise(() => {});
});
const flow = defineWorkflow("flow", async (ctx) => {
  for (let n = 0; n < 1_000; n++) await step(ctx, n);
  await signal(ctx);
});

if (role === "child") {
  console.log(`booted ${performance.timeOrigin + performance.now()}`);
  const app = new Romancy({ database: file, workflows: [flow] });
  await app.start();
  await flow.with({ id: "one" }).start(app);
} else {
  await untilLive();
  const { booted, live } = await untilLive();
  report([figure("from the new process's start() to the first new activity", live - booted, "ms", "< 1,000")]);
}

/** Runs a child until it has done all that is before the signal, then kills it. Times in epoch milliseconds. */
async function untilLive(): Promise<{ booted: number; live: number }> {
  const options = [...process.execArgv, import.meta.filename, "child", file];
  const child = spawn(process.execPath, options, { stdio: ["ignore", "pipe", "inherit"] });
  const times: Record<string, number> = {};
  for await (const line of createInterface(child.stdout)) {
    const [what = "", time = ""] = line.split(" ");
    times[what] = Number(time);
    if (what === "live") break;
  }
  child.kill("SIGKILL");
  await once(child, "exit");
  return { booted: times["booted"] ?? Number.NaN, live: times["live"] ?? Number.NaN };
}
