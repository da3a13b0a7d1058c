import { describe, expect, it } from "vitest";
import { encodeEnding } from "../../src/core/child.ts";
import { ActivityError, WorkflowFailedError } from "../../src/core/errors.ts";
import type { NewEvent } from "../../src/core/history.ts";
import { awaitedChildren, findCulprit, heedRetries } from "../../src/core/retrying.ts";
import { callOff } from "../../src/core/slot.ts";
import { attemptFailed, completed, failed, historyOf, start, timerFired, timerStarted } from "./execution-bench.ts";

const retried = (...withdrawn: string[]): NewEvent => ({
  kind: "retried",
  operationId: "retry",
  at: 1,
  withdrawn,
  error: null,
});

const childWait = (operationId: string, deadline: number | null = null): NewEvent => ({
  kind: "wait_started",
  operationId,
  at: 1,
  waitFor: { kind: "child", childId: `id of ${operationId}`, workflow: "child", turn: 1 },
  deadline,
});

const childEnded = (operationId: string): NewEvent => ({
  kind: "child_ended",
  operationId,
  at: 1,
  childId: `id of ${operationId}`,
  workflow: "child",
  ending: encodeEnding({ status: "failed", output: null, error: null, cancelReason: null, compensationErrors: null }),
});

describe("heedRetries", () => {
  const read = (...events: readonly NewEvent[]): { events: string[]; doubtful: number[] } => {
    const heeded = heedRetries(historyOf(...events));
    return { events: heeded.events.map(({ seq, kind }) => `${seq} ${kind}`), doubtful: [...heeded.doubtful] };
  };

  it("leaves a history as it is that was not retried, or of which nothing was taken back", () => {
    expect(read(failed("a:1"))).toEqual({ events: ["1 activity_failed"], doubtful: [] });
    expect(read(failed("a:1"), retried())).toEqual({ events: ["1 activity_failed", "2 retried"], doubtful: [] });
  });

  it("leaves out all of the operation that failed, up to then, and doubts what came after", () => {
    const events = [completed("b:1"), attemptFailed("a:1"), failed("a:1"), completed("c:1"), retried("a:1")];
    expect(read(...events, attemptFailed("a:1"), failed("a:1"))).toEqual({
      events: ["1 activity_completed", "4 activity_completed", "5 retried", "6 attempt_failed", "7 activity_failed"],
      doubtful: [4],
    });
    expect(read(...events, failed("a:1"), retried("a:1"), completed("a:1")).events).toEqual([
      "1 activity_completed",
      "4 activity_completed",
      "5 retried",
      "7 retried",
      "8 activity_completed",
    ]);
  });

  it("leaves out all of those that failed together, and doubts what came after the first", () => {
    const events = [completed("b:1"), failed("a:1"), completed("c:1"), failed("a:2"), retried("a:1", "a:2")];
    expect(read(...events)).toEqual({
      events: ["1 activity_completed", "3 activity_completed", "5 retried"],
      doubtful: [3],
    });
  });

  it("keeps the wait for a child, unless its time is limited", () => {
    expect(read(childWait("child:1"), childEnded("child:1"), retried("child:1")).events).toEqual([
      "1 wait_started",
      "3 retried",
    ]);
    expect(read(childWait("child:1", 5), childEnded("child:1"), retried("child:1")).events).toEqual(["3 retried"]);
  });

  it("takes nothing back of what is not recorded", () => {
    expect(read(completed("b:1"), retried("a:1"))).toEqual({
      events: ["1 activity_completed", "2 retried"],
      doubtful: [],
    });
  });
});

describe("findCulprit", () => {
  const history = historyOf(failed("a:1"), failed("b:1"), childEnded("child:1"), completed("a:2"));
  const activity = (id: string): ActivityError => new ActivityError("a", id, 2, "no");
  const child = new WorkflowFailedError("child", "id of child:1", "no");
  const childId = "id of child:1";

  it("is the operation of which the error tells", () => {
    expect(findCulprit(activity("a:1"), history)).toEqual({
      operationIds: ["a:1"],
      childId: undefined,
      isThrown: true,
    });
    expect(findCulprit(child, history)).toEqual({ operationIds: ["child:1"], childId, isThrown: true });
  });

  it("is that because of which the code has thrown an error of its own", () => {
    const inner = new Error("not charged", { cause: activity("b:1") });
    expect(findCulprit(new TypeError("no order", { cause: inner }), history)).toEqual({
      operationIds: ["b:1"],
      childId: undefined,
      isThrown: false,
    });
  });

  it("are all waits for a child that have failed, and none that was answered well", () => {
    const ended = (operationId: string, status: "completed" | "failed"): NewEvent => ({
      kind: "child_ended",
      operationId,
      at: 1,
      childId,
      workflow: "child",
      ending: encodeEnding({ status, output: "1", error: null, cancelReason: null, compensationErrors: null }),
    });
    const several = historyOf(ended("child:1", "failed"), ended("result:2", "failed"), ended("result:3", "completed"));
    expect(findCulprit(child, several)?.operationIds).toEqual(["child:1", "result:2"]);
  });

  it("is none of what an activity, or another instance, has thrown in turn, nor of several together", () => {
    const inner = activity("a:1");
    expect(findCulprit(new ActivityError("c", "c:1", 1, inner), history)).toBeUndefined();
    expect(findCulprit(new WorkflowFailedError("child", "another", inner), history)).toBeUndefined();
    expect(findCulprit(new AggregateError([inner, child], "two have failed"), history)).toBeUndefined();
  });

  it("is nobody when the code threw something else, or the failure was taken back", () => {
    const looped = new Error("a bug");
    looped.cause = looped;
    expect(findCulprit(looped, history)).toBeUndefined();
    expect(findCulprit("a text", history)).toBeUndefined();
    expect(findCulprit(activity("a:1"), historyOf(failed("a:1"), retried("a:1")))).toBeUndefined();
  });
});

it("children are awaited whose waits have not been answered", () => {
  const history = historyOf(
    childWait("one:1"),
    childEnded("one:1"),
    childWait("two:1"),
    childWait("three:1"),
    childEnded("three:1"),
    timerStarted("sleep:1"),
    retried("three:1"),
  );
  expect(awaitedChildren(history)).toEqual(["id of two:1", "id of three:1"]);
});

describe("a replay behind a retry", () => {
  it("passes over what only came of the failure, and begins it anew when it is asked for", async () => {
    const history = historyOf(
      failed("a:1"),
      timerStarted("sleep:1"),
      timerFired("sleep:1"),
      completed("clean:1"),
      retried("a:1"),
      completed("a:1", '"repaired"'),
      completed("clean:1", '"anew"'),
    );
    const bench = start(history, async (run) => {
      const value = await run.open("activity", "a:1", "request");
      const cleaned = await run.open("activity", "clean:1", "request");
      await run.open("timer", "sleep:1", "request", timerStarted("sleep:1"));
      return [value, cleaned];
    });
    await bench.settle();
    expect(bench.requested()).toEqual([["sleep:1"]]);
    bench.execution.record(timerFired("sleep:1"));
    await bench.settle();
    expect(bench.outcome()).toEqual({ type: "returned", value: ["repaired", "anew"] });
  });

  it("is a divergence where the code does not follow what is beyond doubt", async () => {
    const bench = start(historyOf(completed("b:1"), failed("a:1"), retried("a:1")), (run) =>
      run.open("activity", "a:1", "request"),
    );
    await bench.settle();
    expect(bench.outcome()).toMatchObject({ type: "diverged", error: { recorded: "activity_completed of b:1" } });
  });

  it("calls off events, but for those that are held, called off, or of others", () => {
    const [one, two, three] = historyOf(completed("a:1"), completed("b:1"), completed("a:1"));
    if (!(one && two && three)) throw new Error("There are three.");
    const queue = [
      { seq: 1, event: one },
      { seq: 2, event: two },
      { seq: 3, event: three },
      { seq: 4, event: "held" as const },
    ];
    expect(callOff(queue, "a:1", new Set([1, 2]))).toEqual([three]);
    expect(queue.map(({ event }) => (typeof event === "string" ? event : event.seq))).toEqual([
      "cancelled",
      2,
      3,
      "held",
    ]);
  });
});
