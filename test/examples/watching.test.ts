import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

it("runs as it is", () => {
  const folder = mkdtempSync(join(tmpdir(), "romancy-watching-"));
  const example = fileURLToPath(new URL("../../examples/watching.ts", import.meta.url));
  const args = ["--disable-warning=ExperimentalWarning", "--conditions=romancy-source", example];
  const output = execFileSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
  expect(output.trim().split("\n")).toEqual([
    "charge, attempt 1: Error: The bank does not answer",
    'order: {"charged":99}',
    'romancy_activity_attempts_total{activity="charge",outcome="retried"} 1',
    'romancy_activity_attempts_total{activity="charge",outcome="completed"} 1',
    "start_workflow/order",
    "  timer/sleep:1",
    "  activity/charge",
    "  activity/charge",
    "  workflow/order",
  ]);
  rmSync(folder, { recursive: true });
});
