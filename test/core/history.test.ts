import { describe, expect, it } from "vitest";
import { type HistoryEvent, indexHistory, isCompletion, operationKindOf } from "../../src/core/history.ts";
import { OperationNames } from "../../src/core/operation.ts";

const base = { at: 1, error: '"no"' };
const failedOnce = { ...base, kind: "attempt_failed", attempt: 1, startedAt: 0, retryAt: 2 } as const;
const timerStarted: HistoryEvent = { seq: 1, at: 1, operationId: "sleep:1", kind: "timer_started", fireAt: 9 };
const attemptFailed: HistoryEvent = { ...failedOnce, seq: 2, operationId: "a:1" };
const completed: HistoryEvent = { seq: 3, at: 1, operationId: "a:1", kind: "activity_completed", result: "1" };
const failed: HistoryEvent = {
  ...base,
  seq: 5,
  operationId: "b:1",
  kind: "activity_failed",
  activity: "b",
  attempts: 3,
};
const value: HistoryEvent = { seq: 6, at: 1, operationId: "now:1", kind: "value_recorded", value: "1" };
const fired: HistoryEvent = { seq: 7, at: 9, operationId: "sleep:1", kind: "timer_fired" };
const all = [timerStarted, attemptFailed, completed, failed, value, fired];

describe("history", () => {
  it("knows what kind of operation each event belongs to", () => {
    expect(all.map(operationKindOf)).toEqual(["timer", "activity", "activity", "activity", "value", "timer"]);
  });

  it("tells answers from what accompanies them", () => {
    expect(all.filter(isCompletion)).toEqual([completed, failed, fired]);
  });

  it("is indexed by operation, events in recorded order", () => {
    expect([...indexHistory(all)]).toEqual([
      ["sleep:1", { kind: "timer", events: [timerStarted, fired] }],
      ["a:1", { kind: "activity", events: [attemptFailed, completed] }],
      ["b:1", { kind: "activity", events: [failed] }],
      ["now:1", { kind: "value", events: [value] }],
    ]);
    expect(indexHistory([]).size).toBe(0);
  });
});

describe("OperationNames", () => {
  it("counts the calls of each name by itself", () => {
    const names = new OperationNames();
    expect(["a", "b", "a", "__proto__", "a"].map((name) => names.next(name))).toEqual([
      "a:1",
      "b:1",
      "a:2",
      "__proto__:1",
      "a:3",
    ]);
  });
});
