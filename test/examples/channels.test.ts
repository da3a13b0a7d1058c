import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

it("runs as it is", () => {
  const folder = mkdtempSync(join(tmpdir(), "romancy-channels-"));
  const example = fileURLToPath(new URL("../../examples/channels.ts", import.meta.url));
  const args = ["--disable-warning=ExperimentalWarning", "--conditions=romancy-source", example];
  const output = execFileSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
  expect(output.trim().split("\n")).toEqual([
    "results: 1 4 9 16 25 36 49 64",
    "8 jobs done by 3 workers, who have all gone home",
  ]);
  rmSync(folder, { recursive: true });
});
