import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

it("runs as it is", () => {
  const folder = mkdtempSync(join(tmpdir(), "romancy-order-saga-"));
  const example = fileURLToPath(new URL("../../examples/order-saga.ts", import.meta.url));
  const args = ["--disable-warning=ExperimentalWarning", "--conditions=romancy-source", example];
  const output = execFileSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
  expect(output.trim().split("\n")).toEqual([
    "ORD-1: reserved item1",
    "ORD-1: reserved item2",
    "ORD-1: cancelled reservation RES-item2 of item2",
    "ORD-1: cancelled reservation RES-item1 of item1",
    "ORD-1: Activity charge_payment:1 failed after 1 attempt: The card was declined (failed)",
    "ORD-2: reserved item1",
    "ORD-2: reserved item2",
    "ORD-2: charged 80",
    "ORD-2: refunded 80",
    "ORD-2: cancelled reservation RES-item2 of item2",
    "ORD-2: cancelled reservation RES-item1 of item1",
    "ORD-2: Instance ORD-2 was cancelled: changed my mind. (cancelled)",
    "ORD-3: reserved item1",
    "ORD-3: reserved item2",
    "ORD-3: charged 80",
    "ORD-3: { orderId: 'ORD-3', status: 'shipped' } (completed)",
  ]);
  rmSync(folder, { recursive: true });
});
