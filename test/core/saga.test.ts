import { describe, expect, it } from "vitest";
import { encodeEnding } from "../../src/core/child.ts";
import type { HistoryEvent, NewEvent } from "../../src/core/history.ts";
import { Saga } from "../../src/core/saga.ts";
import { completed, historyOf, timerFired } from "./execution-bench.ts";

const nothing = { output: null, error: null, cancelReason: null, compensationErrors: null };

const started = (operationId: string, childId: string): NewEvent => ({
  kind: "wait_started",
  operationId,
  at: 1,
  waitFor: { kind: "child", childId, workflow: "w", turn: 1 },
  deadline: null,
});

const ended = (operationId: string, childId: string, status: string): NewEvent => ({
  kind: "child_ended",
  operationId,
  at: 2,
  childId,
  workflow: "w",
  ending: encodeEnding({ ...nothing, status, output: status === "completed" ? "1" : null }),
});

const added = (operationId: string): NewEvent => ({
  kind: "compensation_added",
  operationId,
  at: 1,
  compensation: "c",
});

/** The steps of a saga to which all of the operations were offered, after these events. */
function stepsAfter(offered: readonly string[], events: readonly HistoryEvent[]): string[] {
  const saga = new Saga<string>();
  for (const id of offered) saga.offer(id, `undo ${id}`);
  for (const event of events) saga.note(event);
  return saga.steps.map(({ undo, result, childId }) => [undo, result, childId].filter(Boolean).join(" "));
}

describe("a saga", () => {
  it("undoes what was offered and done, newest first", () => {
    const events = historyOf(completed("a", "1"), completed("b", "2"), timerFired("t"), added("c"), completed("d"));
    expect(stepsAfter(["a", "c", "d", "never"], events)).toEqual(['undo d "ok"', "undo c", "undo a 1"]);
  });

  it("counts a child from its completion, or from its start", () => {
    const events = historyOf(started("x", "child-x"), started("y", "child-y"), completed("a", "1"));
    expect(stepsAfter(["x", "y", "a"], events)).toEqual(["undo a 1", "undo y child-y", "undo x child-x"]);
    const later = historyOf(started("x", "child-x"), completed("a", "1"), ended("x", "child-x", "completed"));
    expect(stepsAfter(["x", "a"], later)).toEqual(["undo x child-x", "undo a 1"]);
  });

  it("leaves a child alone that has undone its work itself, or that was not offered", () => {
    const events = historyOf(
      started("x", "child-x"),
      started("free", "child-free"),
      ended("x", "child-x", "failed"),
      ended("free", "child-free", "completed"),
    );
    expect(stepsAfter(["x"], events)).toEqual([]);
  });

  it("knows a child that was started and not waited for, and one that is waited for later", () => {
    const start: NewEvent = { kind: "action_completed", operationId: "x", at: 1, result: '"child-x"' };
    expect(stepsAfter(["x"], historyOf(start))).toEqual(["undo x child-x"]);
    const result = historyOf(start, completed("a", "1"), ended("result:1", "child-x", "completed"));
    expect(stepsAfter(["x", "a"], result)).toEqual(["undo x child-x", "undo a 1"]);
  });
});
