/** kill -9 at named points of an instance, then a start on the same file. */
import { describe, expect, it } from "vitest";
import { createPayments, effects, executions, launch, launched, payments } from "./child.ts";

/** Runs the program until it dies at the point, and then again, to the end. */
async function dieAndRecover(program: string, point: string, workflow: string, ...args: unknown[]): Promise<unknown> {
  await dieAt(program, point, workflow, ...args);
  return recover(program, workflow, ...args);
}

async function dieAt(program: string, point: string, workflow: string, ...args: unknown[]): Promise<void> {
  const first = launch(program, { mode: point, label: "first" });
  first.start(workflow, "a", ...args);
  await first.died();
}

async function recover(program: string, workflow: string, ...args: unknown[]): Promise<unknown> {
  const second = await launched(program, { label: "second" });
  const result = await second.result(workflow, "a", ...args);
  await second.shutdown();
  return result;
}

describe("killed", () => {
  it("inside an activity, before its record: it runs again, as the same attempt", async () => {
    expect(await dieAndRecover("steps", "in one", "steps", 0)).toEqual([1, 2, 3]);
    expect(executions()).toEqual({ "one:1": 2, "two:1": 1, "three:1": 1 });
    expect(effects().map(({ attempt }) => attempt)).toEqual([1, 1, 1, 1]);
  });

  it("in the activity after it: what was recorded does not run again", async () => {
    expect(await dieAndRecover("steps", "in two", "steps", 0)).toEqual([1, 2, 3]);
    expect(executions()).toEqual({ "one:1": 1, "two:1": 2, "three:1": 1 });
    expect(effects().map(({ attempt }) => attempt)).toEqual([1, 1, 1, 1]);
  });

  it("after the last result was delivered, before the completing commit: only that activity may run again", async () => {
    expect(await dieAndRecover("steps", "after three", "steps", 0)).toEqual([1, 2, 3]);
    const { "three:1": last, ...earlier } = executions();
    expect(earlier).toEqual({ "one:1": 1, "two:1": 1 });
    expect([1, 2]).toContain(last);
  });

  it("at the same point again and again: each life adds one execution, none an attempt", async () => {
    for (let life = 0; life < 4; life++) await dieAt("steps", "in two", "steps", 0);
    expect(await recover("steps", "steps", 0)).toEqual([1, 2, 3]);
    expect(executions()).toEqual({ "one:1": 1, "two:1": 5, "three:1": 1 });
    expect(new Set(effects().map(({ attempt }) => attempt))).toEqual(new Set([1]));
  });

  it("in a session, after its rows were written: they are gone, and there exactly once in the end", async () => {
    createPayments();
    await dieAt("sessions", "before the return", "order");
    expect(payments()).toEqual([]);
    expect(await recover("sessions", "order")).toBe("paid and told");
    expect(payments()).toEqual([{ instance: "a", step: "payment:1" }]);
    expect(executions()).toEqual({ "payment:1": 2, "receipt:1": 1 });
  });

  it("in afterCommit: rows and record are there, and the activity does not run again", async () => {
    createPayments();
    await dieAt("sessions", "after the commit", "order");
    expect(payments()).toEqual([{ instance: "a", step: "payment:1" }]);
    expect(await recover("sessions", "order")).toBe("paid and told");
    expect(payments()).toEqual([{ instance: "a", step: "payment:1" }]);
    expect(executions()).toEqual({ "payment:1": 1, "receipt:1": 1 });
  });
});
