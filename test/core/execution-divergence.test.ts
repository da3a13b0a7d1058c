import { describe, expect, it } from "vitest";
import type { Execution } from "../../src/core/execution.ts";
import type { NewEvent } from "../../src/core/history.ts";
import { attemptFailed, completed, historyOf, start, timerStarted, valueRecorded } from "./execution-bench.ts";

type Run = Execution<string>;

const a = (run: Run, id = "a:1"): Promise<unknown> => run.open("activity", id, "request");
const sleep = (run: Run): Promise<unknown> => run.open("timer", "sleep:1", "request", timerStarted("sleep:1"));

describe("code that does not follow its history", () => {
  const divergence = async (events: readonly NewEvent[], program: (run: Run) => unknown): Promise<unknown> => {
    const bench = start(historyOf(...events), program);
    await bench.settle();
    const outcome = bench.outcome();
    return outcome?.type === "diverged" ? outcome.error : outcome;
  };

  it("asks for something else", async () => {
    const error = await divergence([completed("a:1"), completed("b:1")], async (run) => {
      await a(run);
      await a(run, "c:1");
    });
    expect(error).toMatchObject({ position: 2, recorded: "activity_completed of b:1", asked: "asked for c:1" });
  });

  it("asks for nothing more", async () => {
    const error = await divergence([completed("a:1")], () => new Promise(() => {}));
    expect(error).toMatchObject({ position: 1, asked: "asked for nothing more" });
  });

  it("asks under another kind", async () => {
    const error = await divergence([timerStarted("a:1")], (run) => a(run));
    expect(error).toMatchObject({ recorded: "timer_started of a:1", asked: "asked for a:1 as activity" });
  });

  it("takes a value under another kind", async () => {
    const error = await divergence([completed("now:1")], (run) => {
      run.value("now:1", 1, () => 1);
      return a(run, "after");
    });
    expect(error).toMatchObject({ recorded: "activity_completed of now:1", asked: "asked for now:1 as value" });
  });

  it("returns or throws too early", async () => {
    expect(await divergence([valueRecorded("now:1", "1")], () => 1)).toMatchObject({ asked: "returned" });
    const thrower = async (): Promise<never> => {
      throw new Error("boom");
    };
    expect(await divergence([timerStarted("sleep:1")], thrower)).toMatchObject({ asked: "threw", position: 1 });
  });

  it("may end while events that accompany what it asked for are left", async () => {
    const outcome = await divergence([completed("a:1"), timerStarted("sleep:1"), attemptFailed("a:2")], async (run) => {
      await a(run);
      void sleep(run);
      void a(run, "a:2");
    });
    expect(outcome).toEqual({ type: "returned", value: undefined });
  });

  it("may end while a place is still held that no history has", async () => {
    const bench = start(historyOf(completed("a:1")), (run) => {
      void a(run, "a:2");
      return a(run);
    });
    bench.execution.reserve();
    await bench.settle();
    expect(bench.outcome()?.type).toBe("returned");
  });

  it("gets no second turn with an outcome, and no more effects", async () => {
    const bench = start(historyOf(completed("b:1")), async (run) => {
      await Promise.race([a(run), new Promise(setImmediate)]);
    });
    await bench.settle();
    expect(bench.outcome()?.type).toBe("diverged");
    void bench.execution.open("activity", "late", "request");
    await bench.settle();
    expect(bench.requested().flat()).toEqual(["a:1"]);
  });
});
