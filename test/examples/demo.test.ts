/** `npm run demo`, as a user runs it. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const passed = "PASSED: killed in the middle, nothing lost, nothing recorded done twice.";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "romancy demo test "));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The script of package.json without npm around it: from the package's folder, the user's own folder in INIT_CWD. */
function demo(...args: readonly string[]): Finished {
  const { FORCE_COLOR: _, ...env } = process.env;
  return spawnSync(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", join(root, "examples/demo/main.ts"), ...args],
    { cwd: root, encoding: "utf8", env: { ...env, TMPDIR: folder, INIT_CWD: folder } },
  );
}

function ordersFile(...lines: readonly string[]): string {
  writeFileSync(join(folder, "my-orders.json"), lines.join("\n"));
  return "my-orders.json";
}

function line(id: string, changes: object = {}): string {
  return JSON.stringify({ id, customer: "Ada", items: [{ sku: "TEA", quantity: 2, price: 6.5 }], ...changes });
}

describe("with the orders that come with it", () => {
  it("kills the worker, goes on, and shows that nothing was lost or done twice", () => {
    const { status, stdout, stderr } = demo();
    expect(stderr).toBe("");
    expect(stdout).toContain(passed);
    expect(status).toBe(0);
    for (let number = 1001; number <= 1012; number++) {
      const result = number === 1003 ? "declined: insufficient funds" : `shipped as PARCEL-ORD-${number}`;
      expect(stdout).toMatch(new RegExp(`^ {2}ORD-${number} .* \\d+\\.\\d\\d {2}${result}$`, "m"));
    }
    expect(stdout).toMatch(/SIGKILL: the worker, process \d+, is gone/);
    expect(stdout).toMatch(/ORD-1002 {2}charge {3}failed, retried: the payment provider answered 503 \(attempt 1\)/);
    expect(stdout).toMatch(/ORD-1003 {2}charge {3}failed for good: insufficient funds/);
    expect(stdout).toMatch(/ORD-1001 {11}waiting 300 ms/);
    expect(stdout).toMatch(/of the \d+ activities recorded before the kill, 0 ran again/);
    expect(stdout).toContain("12 of 12 orders have their result");
    expect(stdout, "colours without a terminal").not.toContain("\u001B");
  });

  it("leaves the database, and says how to look at it in a way that works", () => {
    const { stdout } = demo();
    const [, command = ""] = /^ {2}(.* --no-warnings -e .*)$/m.exec(stdout) ?? [];
    const table = execFileSync(command, { shell: true, encoding: "utf8" });
    expect(table).toContain("activity_completed");
    expect(table).toContain("charge:1");
    const [, effects = ""] = /^ {2}(.*effects\.jsonl)$/m.exec(stdout) ?? [];
    expect(existsSync(effects)).toBe(true);
  });
});

describe("with a file of the user's own", () => {
  it("refuses malformed lines by name and runs the rest", () => {
    const bad = line("ORD-7", { items: [{ sku: "TEA", quantity: 0, price: 1 }] });
    const file = ordersFile(
      "[",
      `${line("A-1")},`,
      `${line("A-2")},`,
      '{"id": "A-3", oops},',
      `${bad},`,
      line("A-1"),
      "]",
    );
    const { status, stdout } = demo(file);
    expect(stdout).toContain("refused: line 4: not JSON: ");
    expect(stdout).toContain("refused: line 5 (order ORD-7): quantity must be a whole number of 1 or more (item 1)");
    expect(stdout).toContain("refused: line 6 (order A-1): its id is already that of the order on line 2");
    expect(stdout).toContain("2 of 2 orders have their result");
    expect(stdout).toContain(passed);
    expect(status).toBe(0);
  });

  it.each([
    ["one order", {}],
    ["one order whose card is declined", { card: "tok_declined" }],
    ["one order that is retried", { card: "tok_flaky" }],
  ])("kills the worker in the middle of %s", (_, changes) => {
    const { status, stdout } = demo(ordersFile(line("A-1", changes)));
    expect(stdout).toMatch(/killed by SIGKILL with [12] of 3 activities recorded and 0 of 1 orders finished/);
    expect(status).toBe(0);
  });
});

describe("without orders to run", () => {
  it.each([
    [
      "missing",
      () => "no-such-file.json",
      /^The orders in .*no-such-file\.json cannot be read: there is no such file\n$/,
    ],
    ["a folder", () => ".", /^The orders in .* cannot be read: .*EISDIR.*\n$/],
    ["empty", () => ordersFile(""), /^There is no valid order in .*: it is empty\n$/],
    ["an empty list", () => ordersFile("[]"), /^There is no valid order in .*: it is empty\n$/],
    [
      "all refused",
      () => ordersFile("a", "b"),
      /^There is no valid order in .*: line 1: not JSON: .* \(and 1 more .*\)\n$/,
    ],
    ["an option", () => "--help", /^Usage: npm run demo .*\n$/],
  ])("says so in one line and exits with 2 when the file is %s", (_, file, message) => {
    const { status, stdout, stderr } = demo(file());
    expect(stderr).toMatch(message);
    expect(stdout).toBe("");
    expect(status).toBe(2);
  });
});
