import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

it("runs as it is", () => {
  const folder = mkdtempSync(join(tmpdir(), "romancy-operate-"));
  const example = fileURLToPath(new URL("../../examples/operate.ts", import.meta.url));
  const args = ["--disable-warning=ExperimentalWarning", "--conditions=romancy-source", example];
  const output = execFileSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
  expect(output.trim().split("\n")).toEqual([
    "reserved for ORD-1",
    "Workflow order (instance ORD-1) failed: Activity charge:1 failed after 2 attempts: the payment service does not answer",
    "now: paid",
  ]);
  rmSync(folder, { recursive: true });
});
