import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

it("runs as it is", () => {
  const folder = mkdtempSync(join(tmpdir(), "romancy-children-"));
  const example = fileURLToPath(new URL("../../examples/children.ts", import.meta.url));
  const args = ["--disable-warning=ExperimentalWarning", "--conditions=romancy-source", example];
  const output = execFileSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
  expect(output.trim().split("\n")).toEqual([
    "delivered in Oslo, delivered in Rome",
    expect.stringContaining("there is no road to Atlantis"),
    "booked a van to Paris",
    "booked a van to Atlantis",
    "cancelled the van to Atlantis",
    "cancelled the van to Paris",
    "cancelled, failed",
  ]);
  rmSync(folder, { recursive: true });
});
