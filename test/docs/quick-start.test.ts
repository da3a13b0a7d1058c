/** The README's quick start is a file, and the file runs. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const example = join(root, "examples/quick-start.ts");

it("stands in the README as it is in examples/quick-start.ts", () => {
  const [, inReadme] = /```ts quick-start\n(.*?)```/s.exec(readFileSync(join(root, "README.md"), "utf8")) ?? [];
  expect(inReadme).toBe(readFileSync(example, "utf8"));
});

it("runs as it is, and again on the same database", () => {
  const folder = mkdtempSync(join(tmpdir(), "romancy-quick-start-"));
  const run = (): string =>
    execFileSync(process.execPath, ["--disable-warning=ExperimentalWarning", "--conditions=romancy-source", example], {
      cwd: folder,
      encoding: "utf8",
    });
  const printed = "{ orderId: 'ORD-1', reservation: 'RES-ORD-1', payment: 'PAY-ORD-1' }";
  for (const output of [run(), run()]) expect(output.replace(/\s+/g, " ").trim()).toBe(printed);
  rmSync(folder, { recursive: true });
});
