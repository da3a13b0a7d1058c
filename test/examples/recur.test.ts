import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

it("runs as it is", () => {
  const folder = mkdtempSync(join(tmpdir(), "romancy-recur-"));
  const example = fileURLToPath(new URL("../../examples/recur.ts", import.meta.url));
  const args = ["--disable-warning=ExperimentalWarning", "--conditions=romancy-source", example];
  const output = execFileSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
  expect(output.trim().split("\n")).toEqual([
    "the sum is 55",
    "recurred, after 4 messages",
    "recurred, after 4 messages",
    "completed, after 3 messages",
  ]);
  rmSync(folder, { recursive: true });
});
