/** The demo can fail: it is given facts that are not as they must be. */
import { describe, expect, it } from "vitest";
import type { Execution } from "../../examples/demo/effects.ts";
import type { Order } from "../../examples/demo/order.ts";
import type { OrderRecord } from "../../examples/demo/record.ts";
import { describeChecks } from "../../examples/demo/report.ts";
import { type Facts, verify } from "../../examples/demo/verify.ts";

function order(id: string): Order {
  return { id, customer: "Ada", card: "tok_visa", items: [{ sku: "TEA", quantity: 2, price: 5 }] };
}

function record(orderId: string, activities: readonly string[], result?: OrderRecord["result"]): OrderRecord {
  return { orderId, status: result ? "completed" : "running", activities, result, error: undefined };
}

function execution(orderId: string, activityId: string, run: number, changes: Partial<Execution> = {}): Execution {
  return { run, at: 0, orderId, activityId, attempt: 1, idempotencyKey: `${orderId}/${activityId}`, ...changes };
}

const shipped = { outcome: "shipped", cents: 1_000, parcel: "P" } as const;
const declined = { outcome: "declined", cents: 0, reason: "insufficient funds" } as const;

/** A is shipped, its charge cut off by the kill; B is declined. */
const facts: Facts = {
  orders: [order("A"), order("B")],
  firstEnd: "SIGKILL",
  secondEnd: "exit code 0",
  before: [record("A", ["reserve:1"]), record("B", ["reserve:1", "charge:1"])],
  after: [
    record("A", ["reserve:1", "charge:1", "ship:1"], shipped),
    record("B", ["reserve:1", "charge:1", "release:1"], declined),
  ],
  executions: [
    execution("A", "reserve:1", 1),
    execution("B", "reserve:1", 1),
    execution("B", "charge:1", 1),
    execution("A", "charge:1", 1),
    execution("A", "charge:1", 2),
    execution("A", "ship:1", 2),
    execution("B", "release:1", 2),
  ],
  stock: [{ sku: "TEA", initial: 24, available: 22 }],
};

function problemsOf(falsified: Partial<Facts>): string[] {
  return verify({ ...facts, ...falsified }).flatMap(({ problems }) => problems);
}

describe("verify", () => {
  it("finds nothing wrong with facts that are as they must be", () => {
    expect(problemsOf({})).toEqual([]);
  });

  it("finds a recorded activity that ran again", () => {
    const executions = [...facts.executions, execution("B", "charge:1", 2)];
    expect(problemsOf({ executions })).toEqual([
      "B charge:1 was recorded before the kill and ran 1 more time(s) after it",
    ]);
  });

  it("finds executions that nobody wrote down", () => {
    const executions = facts.executions.slice(1);
    expect(problemsOf({ executions })).toEqual(["A reserve:1 is recorded, but no execution of it was seen"]);
  });

  it("finds an idempotency key that changed", () => {
    const executions = [...facts.executions, execution("A", "ship:1", 2, { attempt: 2, idempotencyKey: "other" })];
    expect(problemsOf({ executions })).toEqual(["A ship:1 ran with different idempotency keys: A/ship:1, other"]);
  });

  it("finds an order without a result", () => {
    const [a = record("A", []), b = record("B", [])] = facts.after;
    expect(problemsOf({ after: [a] })).toEqual(["B has no result: it is not in the database"]);
    expect(problemsOf({ after: [a, { ...b, status: "blocked", result: undefined }] })).toEqual([
      "B has no result: it is blocked",
    ]);
  });

  it.each([
    ["taken twice", 20],
    ["not taken", 24],
  ])("finds stock that was %s", (_, available) => {
    const stock = [{ sku: "TEA", initial: 24, available }];
    expect(problemsOf({ stock })).toEqual([`stock of TEA is ${available}; it must be 22`]);
  });

  it("finds stock that is missing", () => {
    expect(problemsOf({ stock: [] })).toEqual(["stock of TEA is missing"]);
  });

  it("finds that nothing was killed, or not in the middle, or that the worker did not end well", () => {
    expect(problemsOf({ firstEnd: "exit code 0" })).toEqual([
      "the first worker was not killed by SIGKILL, but ended by exit code 0",
    ]);
    expect(problemsOf({ before: [] })).toEqual(["nothing was recorded before the kill"]);
    expect(problemsOf({ before: facts.after })).toContain("every order had finished before the kill");
    expect(problemsOf({ secondEnd: "exit code 1" })).toEqual([
      "the second worker did not end by itself, but by exit code 1",
    ]);
  });
});

it("says FAILED, and why", () => {
  const text = describeChecks(verify({ ...facts, stock: [{ sku: "TEA", initial: 24, available: 20 }] })).join("\n");
  expect(text).toContain("BROKEN");
  expect(text).toContain("stock of TEA is 20; it must be 22");
  expect(text).toContain("FAILED: 1 of 5 checks do not hold");
  expect(text).not.toContain("PASSED");
});
