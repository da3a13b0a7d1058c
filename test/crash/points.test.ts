import { readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";
import { databaseFile, startApp } from "../support/apps.ts";
import { until } from "../support/wait.ts";
import { run } from "./child.ts";

const all = ["first:1#1", "second:1#1", "second:2#1"];

function effects(): string[] {
  return readFileSync(`${databaseFile()}.effects`, "utf8").trim().split("\n");
}

async function finish(point: string): Promise<void> {
  const child = run("points", databaseFile(), point);
  await child.line("result 3");
  expect(await child.exited).toBe(0);
}

it.each([
  ["in the first activity", ["first:1#1", ...all]],
  ["in the second activity", ["first:1#1", "second:1#1", "second:1#1", "second:2#1"]],
  ["before the completing commit", [...all, "second:2#1"]],
  ["in a session", ["first:1#1", "second:1#1", "rows:1#1", "rows:1#1", "second:2#1"]],
  ["after a session's commit", ["first:1#1", "second:1#1", "rows:1#1", "second:2#1"]],
])("killed %s: only what was not recorded runs again", async (point, expected) => {
  expect(await run("points", databaseFile(), point).exited).toBe("SIGKILL");
  await finish(point);
  expect(effects()).toEqual(expected);
  if (!point.includes("session")) return;
  const database = new DatabaseSync(databaseFile());
  expect(database.prepare("select id from effects").all()).toEqual([{ id: "one/rows:1" }]);
  database.close();
});

it.each([
  ["in a back-off", ["flaky:1#1", "flaky:1#2", "flaky:1#3"]],
  ["in a long back-off", ["flaky:1#1", "flaky:1#2"]],
])("killed %s: attempts are counted on", async (point, attempts) => {
  const child = run("points", databaseFile(), point);
  await child.line("recorded");
  await child.kill();
  const client = await startApp({ worker: false });
  const failed = (await client.getHistory("one")).find(({ kind }) => kind === "attempt_failed");
  await client.shutdown();
  await finish(point);
  expect(effects()).toEqual(["first:1#1", "second:1#1", ...attempts, "second:2#1"]);
  expect(failed).toMatchObject({ attempt: 1 });
});

it.each([true, false])("killed in a sleep: the deadline stays (passed meanwhile: %s)", async (passes) => {
  const child = run("points", databaseFile(), "in a sleep");
  await child.line("recorded");
  await child.kill();
  const client = await startApp({ worker: false });
  const deadline = (await client.getHistory("one")).find(({ kind }) => kind === "timer_started");
  if (!deadline || !("fireAt" in deadline)) throw new Error("The sleep was not recorded.");
  const { fireAt } = deadline;
  if (passes) await until(() => Date.now() > fireAt.getTime());
  await finish("in a sleep");
  const history = await client.getHistory("one");
  expect(history.filter(({ kind }) => kind === "timer_started")).toEqual([deadline]);
  const fired = history.find(({ kind }) => kind === "timer_fired");
  expect(Number(fired?.at)).toBeGreaterThanOrEqual(deadline.fireAt.getTime());
  expect(effects()).toEqual(all);
});
