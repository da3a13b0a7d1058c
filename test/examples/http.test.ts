import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

it("runs as it is", () => {
  const folder = mkdtempSync(join(tmpdir(), "romancy-http-"));
  const example = fileURLToPath(new URL("../../examples/http.ts", import.meta.url));
  const args = ["--disable-warning=ExperimentalWarning", "--conditions=romancy-source", example];
  const output = execFileSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
  expect(output.trim().split("\n")).toEqual([
    "200 ready",
    '{"error":"The request is not allowed.","error_type":"Forbidden","retryable":false}',
    '{"status":"accepted","id":"pay-1"}',
    '{"status":"accepted","id":"pay-1"}',
    "ORD-1 was paid: 99.99",
  ]);
  rmSync(folder, { recursive: true });
});
