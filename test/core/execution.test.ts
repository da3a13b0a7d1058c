import { describe, expect, it } from "vitest";
import { ActivityError, OperationIdConflictError } from "../../src/core/errors.ts";
import type { Execution } from "../../src/core/execution.ts";
import type { HistoryEvent } from "../../src/core/history.ts";
import { attemptFailed, completed, failed, historyOf, start, timerFired, timerStarted } from "./execution-bench.ts";

type Run = Execution<string>;

const a = (run: Run, id = "a:1"): Promise<unknown> => run.open("activity", id, "request");
const sleep = (run: Run): Promise<unknown> => run.open("timer", "sleep:1", "request", timerStarted("sleep:1"));

describe("live", () => {
  it("hands out what the code asks for, and gives it what is recorded", async () => {
    const bench = start([], (run) => a(run));
    await bench.settle();
    expect(bench.turns).toMatchObject([
      { events: [], requested: [{ id: "a:1", kind: "activity", request: "request" }] },
    ]);
    bench.execution.record(completed("a:1", "[1]"));
    await bench.settle();
    expect(bench.outcome()).toEqual({ type: "returned", value: [1] });
    expect(bench.turns[1]).toMatchObject({ events: [{ seq: 1, operationId: "a:1" }], requested: [] });
  });

  it("rejects with what failed, built again from the record", async () => {
    const bench = start([], (run) => a(run));
    await bench.settle();
    bench.execution.record(attemptFailed("a:1"));
    bench.execution.record(failed("a:1"));
    await bench.settle();
    const outcome = bench.outcome();
    expect(outcome?.type === "threw" && outcome.error).toBeInstanceOf(ActivityError);
    expect(outcome).toMatchObject({ error: { activity: "a", activityId: "a:1", attempts: 2, cause: "no" } });
  });

  it("records the beginning of a sleep and wakes with nothing", async () => {
    const bench = start([], (run) => sleep(run));
    await bench.settle();
    expect(bench.turns[0]).toMatchObject({
      events: [{ kind: "timer_started", seq: 1 }],
      requested: [{ id: "sleep:1" }],
    });
    bench.execution.record(timerFired("sleep:1"));
    await bench.settle();
    expect(bench.outcome()).toEqual({ type: "returned", value: undefined });
  });

  it("ends with what the code throws, at once or later", async () => {
    const error = new Error("boom");
    const bench = start([], () => {
      throw error;
    });
    await bench.settle();
    expect(bench.outcome()).toEqual({ type: "threw", error });
  });

  it("delivers one completion per macrotask", async () => {
    const seen: string[] = [];
    const bench = start([], async (run) => {
      const both = ["a:1", "a:2"].map(async (id) => {
        await a(run, id);
        for (let hop = 0; hop < 9; hop++) await Promise.resolve();
        seen.push(id);
      });
      await Promise.all(both);
    });
    await bench.settle();
    bench.execution.record(completed("a:2"));
    bench.execution.record(completed("a:1"));
    expect(bench.execution.isAdvancing).toBe(true);
    await bench.tick();
    expect(seen).toEqual(["a:2"]);
    await bench.settle();
    expect(seen).toEqual(["a:2", "a:1"]);
    expect(bench.execution.isAdvancing).toBe(false);
  });

  it("does not mind operations that nobody awaits", async () => {
    const rejections: unknown[] = [];
    const note = (reason: unknown): unknown => rejections.push(reason);
    process.on("unhandledRejection", note);
    const bench = start([], async (run) => {
      void a(run, "loser");
      await a(run);
    });
    await bench.settle();
    bench.execution.record(failed("loser"));
    bench.execution.record(completed("a:1"));
    await bench.settle();
    process.off("unhandledRejection", note);
    expect(rejections).toEqual([]);
    expect(bench.outcome()?.type).toBe("returned");
  });

  it("goes on for thousands of operations, in order of seq", async () => {
    const count = 1_100;
    const bench = start([], async (run) => {
      for (let index = 0; index < count; index++) await a(run, `a:${index}`);
      return "done";
    });
    await bench.settle();
    for (let index = 0; index < count; index++) {
      bench.execution.record(completed(`a:${index}`));
      await bench.settle();
    }
    expect(bench.outcome()).toEqual({ type: "returned", value: "done" });
    expect(bench.turns.flatMap((turn) => turn.events.map(({ seq }) => seq))).toEqual(
      Array.from({ length: count }, (_, index) => index + 1),
    );
  });

  it("hands a turn without outcome for what is recorded after the end", async () => {
    const bench = start([], (run) => {
      void a(run);
      return "done";
    });
    await bench.settle();
    bench.execution.record(completed("a:1"));
    await bench.settle();
    expect(bench.turns.map((turn) => [turn.events.length, turn.outcome?.type])).toEqual([
      [0, "returned"],
      [1, undefined],
    ]);
  });
});

describe("replay", () => {
  it("answers from history and hands out only what is left", async () => {
    const history = historyOf(completed("a:1", "1"), timerStarted("sleep:1"), attemptFailed("a:2"));
    const replaying: boolean[] = [];
    const bench = start(history, async (run) => {
      replaying.push(run.isReplaying);
      await a(run);
      void sleep(run);
      await a(run, "a:2");
      replaying.push(run.isReplaying);
    });
    await bench.settle();
    expect(bench.requested()).toEqual([["sleep:1", "a:2"]]);
    expect(bench.turns[0]?.events).toEqual([]);
    expect(bench.turns[0]?.requested.map(({ recorded }) => recorded?.events)).toEqual([[history[1]], [history[2]]]);
    bench.execution.record(completed("a:2"));
    await bench.settle();
    expect(bench.turns[1]?.events[0]?.seq).toBe(4);
    expect(replaying).toEqual([true, false]);
  });

  it("gives values back instead of making them anew", async () => {
    const values = async (run: Run): Promise<unknown> => [run.value("now:1", 7, () => ({ n: 2n })), await a(run)];
    const live = start([], values);
    await live.settle();
    expect(live.turns[0]?.events).toMatchObject([{ kind: "value_recorded", at: 7, operationId: "now:1" }]);
    const replay = start([...(live.turns[0]?.events ?? []), { ...completed("a:1"), seq: 2 }], (run) => {
      run.value("now:1", 9, () => {
        throw new Error("made anew");
      });
      return a(run);
    });
    await replay.settle();
    expect(replay.outcome()).toEqual({ type: "returned", value: "ok" });
  });

  it("ignores a second completion of one operation", async () => {
    const bench = start(historyOf(completed("a:1", "1"), completed("a:1", "2"), completed("a:2")), async (run) => {
      const first = await a(run);
      await a(run, "a:2");
      return first;
    });
    await bench.settle();
    expect(bench.outcome()).toEqual({ type: "returned", value: 1 });
  });
});

describe("operation ids", () => {
  it("may be used once", async () => {
    const bench = start([], async (run) => {
      void a(run);
      await a(run);
    });
    await bench.settle();
    const outcome = bench.outcome();
    expect(outcome?.type === "threw" && outcome.error).toBeInstanceOf(OperationIdConflictError);
  });

  it("may be used once for values too, and across kinds", async () => {
    const bench = start([], (run) => {
      void a(run, "now:1");
      run.value("now:1", 1, () => 1);
    });
    await bench.settle();
    const outcome = bench.outcome();
    expect(outcome?.type === "threw" && outcome.error).toBeInstanceOf(OperationIdConflictError);
  });
});

describe("a reserved place", () => {
  const two = async (run: Run): Promise<unknown> => Promise.race([a(run), a(run, "a:2")]);

  it("holds back what comes after it until it is filled", async () => {
    const bench = start([], two);
    await bench.settle();
    const place = bench.execution.reserve();
    bench.execution.record(completed("a:2", "2"));
    await bench.settle();
    expect(place.seq).toBe(1);
    expect(bench.turns[1]).toMatchObject({ events: [{ seq: 2 }], outcome: undefined });
    place.fulfil(completed("a:1", "1"));
    await bench.settle();
    expect(bench.outcome()).toEqual({ type: "returned", value: 1 });
    // Its event was made durable elsewhere.
    expect(bench.turns.slice(2).flatMap((turn) => turn.events)).toEqual([]);
  });

  it("is kept when a long life's delivered events are forgotten", async () => {
    const ids = Array.from({ length: 1_030 }, (_, index) => `a:${index}`);
    const bench = start([], async (run) => {
      const last = a(run, "last");
      await Promise.all(ids.map((id) => a(run, id)));
      return last;
    });
    await bench.settle();
    for (const id of ids) bench.execution.record(completed(id));
    const place = bench.execution.reserve();
    await bench.settle();
    place.fulfil(completed("last", "1"));
    await bench.settle();
    expect(bench.outcome()).toEqual({ type: "returned", value: 1 });
  });

  it("lets them pass when it stays empty", async () => {
    const bench = start([], two);
    await bench.settle();
    const place = bench.execution.reserve();
    bench.execution.record(completed("a:2", "2"));
    place.cancel();
    await bench.settle();
    expect(bench.outcome()).toEqual({ type: "returned", value: 2 });
  });
});

describe("parked code", () => {
  it("stays where it was until it is resumed", async () => {
    const bench = start([], (run) => sleep(run));
    await bench.settle();
    bench.execution.park();
    bench.execution.park();
    bench.execution.record(timerFired("sleep:1"));
    await bench.settle();
    expect(bench.turns).toHaveLength(1);
    bench.execution.resume();
    bench.execution.resume();
    await bench.settle();
    expect(bench.turns).toHaveLength(2);
    bench.execution.record(timerFired("sleep:1"));
    await bench.settle();
    expect(bench.outcome()?.type).toBe("returned");
    expect(bench.execution.hasStrayed).toBe(false);
  });

  it("gets no turn that was already under way", async () => {
    const bench = start([], (run) => sleep(run));
    bench.execution.park();
    await bench.settle();
    expect(bench.turns).toEqual([]);
  });

  it("has strayed when it asks for something, or ends, by itself", async () => {
    const outside = Promise.withResolvers<unknown>();
    const asking = start([], async (run) => {
      await outside.promise;
      run.value("now:1", 1, () => 1);
      await a(run);
    });
    const ending = start([], () => outside.promise);
    for (const bench of [asking, ending]) {
      await bench.settle();
      bench.execution.park();
    }
    outside.resolve(undefined);
    for (const bench of [asking, ending]) {
      await bench.settle();
      expect(bench.execution.hasStrayed).toBe(true);
      expect(bench.turns).toHaveLength(1);
    }
  });
});

describe("closed code", () => {
  it("hears and does nothing any more", async () => {
    const seen: unknown[] = [];
    const bench = start([], async (run) => {
      try {
        seen.push(await a(run));
      } finally {
        seen.push("finally");
      }
    });
    await bench.settle();
    const place = bench.execution.reserve();
    bench.execution.close();
    bench.execution.record(completed("a:1"));
    place.fulfil(completed("a:1"));
    bench.execution.park();
    bench.execution.resume();
    await bench.settle();
    expect(seen).toEqual([]);
    expect(bench.turns).toHaveLength(1);
  });
});

describe("at the edges", () => {
  it("a race that was won may have its loser recorded too", async () => {
    const race = (run: Run): unknown => Promise.race([a(run), a(run, "a:2")]);
    const live = start([], race);
    await live.settle();
    live.execution.record(completed("a:1", "1"));
    live.execution.record(completed("a:2", "2"));
    await live.settle();
    expect(live.outcome()).toEqual({ type: "returned", value: 1 });
    const replay = start(live.turns[1]?.events ?? [], race);
    await replay.settle();
    expect(replay.outcome()).toEqual({ type: "returned", value: 1 });
  });

  it("code that threw may have another branch recorded too", async () => {
    const all = (run: Run): unknown => Promise.all([a(run), a(run, "a:2")]);
    const replay = start(historyOf(failed("a:1"), completed("a:2")), all);
    await replay.settle();
    expect(replay.outcome()?.type).toBe("threw");
  });

  it("a value is what was stored, live as on replay", async () => {
    const made = { at: new Map([[1, { a: 1 }]]) };
    const live = start([], (run) => run.value("v:1", 1, () => made) === made);
    await live.settle();
    expect(live.outcome()).toEqual({ type: "returned", value: false });
  });

  it("a record that cannot be read ends the run as one that left its history", async () => {
    const bench = start(historyOf(completed("a:1", "{")), (run) => a(run));
    await bench.settle();
    expect(bench.outcome()).toMatchObject({ type: "diverged", error: { code: "STORE" } });
    const value: HistoryEvent = { kind: "value_recorded", seq: 1, at: 0, operationId: "v:1", value: "{" };
    const valued = start([value], (run) => run.value("v:1", 1, () => 1));
    await valued.settle();
    expect(valued.outcome()).toMatchObject({ type: "diverged", error: { code: "STORE" } });
  });
});
