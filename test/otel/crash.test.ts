import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { databaseFile } from "../support/apps.ts";
import { type SpanFacts, treeOf } from "./telemetry.ts";

const program = fileURLToPath(new URL("fixtures/worker.ts", import.meta.url));

/** Runs the worker to its end; gives the signal that ended it, if one did. */
function run(...args: string[]): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, ["--disable-warning=ExperimentalWarning", program, ...args], (error, _, stderr) => {
      if (error && !error.signal) reject(new Error(stderr, { cause: error }));
      else resolve(error?.signal ?? undefined);
    });
  });
}

it("has one tree of spans for an instance whose process was killed", async () => {
  const database = databaseFile();
  const file = databaseFile("spans.jsonl");
  expect(await run(database, file, "first")).toBe("SIGKILL");
  expect(await run(database, file, "second")).toBeUndefined();
  const spans = readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as SpanFacts);
  const ofInstance = spans.filter(({ traceId }) => traceId === spans[0]?.traceId);
  expect(treeOf(ofInstance)).toEqual([
    "start_workflow/flow",
    "  activity/deadly",
    "  activity/step",
    "  activity/step",
    "  replay/flow",
    "  workflow/flow",
  ]);
  // The second start has found the instance: it has a span of its own, and nothing hangs on it.
  expect(treeOf(spans.filter((span) => !ofInstance.includes(span)))).toEqual(["start_workflow/flow"]);
});
