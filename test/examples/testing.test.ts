import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

it("passes as it is", () => {
  const folder = mkdtempSync(join(tmpdir(), "romancy-testing-"));
  const example = fileURLToPath(new URL("../../examples/testing.ts", import.meta.url));
  const args = ["--disable-warning=ExperimentalWarning", "--conditions=romancy-source", "--test-reporter=tap", example];
  const output = execFileSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
  expect(output).toContain("# pass 4\n");
  expect(output).toContain("# fail 0\n");
  rmSync(folder, { recursive: true });
});
