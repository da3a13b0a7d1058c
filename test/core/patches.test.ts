import { describe, expect, it } from "vitest";
import { NonDeterminismError, OperationIdConflictError } from "../../src/core/errors.ts";
import type { Execution } from "../../src/core/execution.ts";
import type { NewEvent } from "../../src/core/history.ts";
import { Patches } from "../../src/core/patches.ts";
import { type Bench, completed, historyOf, start, timerStarted, valueRecorded } from "./execution-bench.ts";

type Run = Execution<string>;

const a = (run: Run, id = "a:1"): Promise<unknown> => run.open("activity", id, "request");
const marked = (patch: string): NewEvent => ({
  kind: "patch_recorded",
  operationId: `patched(${patch})`,
  at: 7,
  patch,
});

/** Runs the program on the history until it is quiet. */
async function ran(events: readonly NewEvent[], program: (run: Run, patches: Patches) => unknown): Promise<Bench> {
  const bench = start(historyOf(...events), (run) => program(run, new Patches(run)));
  await bench.settle();
  return bench;
}

/** What a program of one activity and one question is told, where the question is the last of it. */
async function told(...events: readonly NewEvent[]): Promise<unknown> {
  const bench = await ran(events, async (run, patches) => {
    await a(run);
    return patches.patched("p", 7);
  });
  return bench.outcome();
}

const recordedIn = (bench: Bench): unknown[] => bench.turns.flatMap(({ events }) => events);

describe("patched", () => {
  it("is true, and recorded once, where the history ends", async () => {
    const bench = await ran([completed("a:1")], async (run, patches) => {
      await a(run);
      return [patches.patched("p", 7), patches.patched("p", 8)];
    });
    expect(bench.outcome()).toEqual({ type: "returned", value: [true, true] });
    expect(recordedIn(bench)).toEqual([{ ...marked("p"), seq: 2 }]);
  });

  it("is true in an instance that has no history yet", async () => {
    const bench = await ran([], (_, patches) => patches.patched("p", 7));
    expect(bench.outcome()).toEqual({ type: "returned", value: true });
    expect(recordedIn(bench)).toEqual([{ ...marked("p"), seq: 1 }]);
  });

  it("is true again where the history says so, and records nothing", async () => {
    const bench = await ran([completed("a:1"), marked("p"), completed("a:2")], async (run, patches) => {
      await a(run);
      const answer = patches.patched("p", 99);
      await a(run, "a:2");
      return answer;
    });
    expect(bench.outcome()).toEqual({ type: "returned", value: true });
    expect(recordedIn(bench)).toEqual([]);
  });

  it.each([
    ["a completion", completed("b:1")],
    ["a sleep that is not over", timerStarted("sleep:1")],
    [
      "a wait that is not over",
      {
        kind: "wait_started",
        operationId: "wait_event:1",
        at: 1,
        waitFor: { kind: "event", types: ["paid"], key: null },
        deadline: null,
      },
    ],
    ["a value", valueRecorded("now:1", "5")],
    ["another patch", marked("other")],
    ["a cancel", { kind: "cancel_requested", operationId: "cancel", at: 1, reason: null }],
  ] satisfies [string, NewEvent][])("is false where the history goes on with %s", async (_, event) => {
    const answers: boolean[] = [];
    const bench = await ran([completed("a:1"), event], async (run, patches) => {
      await a(run);
      answers.push(patches.patched("p", 7));
      await a(run, "never");
    });
    expect(answers).toEqual([false]);
    expect(recordedIn(bench)).toEqual([]);
  });

  it("stays false when the history has ended, as in a loop", async () => {
    const bench = await ran([completed("a:1"), completed("a:2")], async (run, patches) => {
      const answers: boolean[] = [];
      for (const id of ["a:1", "a:2"]) {
        await a(run, id);
        answers.push(patches.patched("p", 7));
      }
      return [...answers, patches.patched("q", 7)];
    });
    expect(bench.outcome()).toEqual({ type: "returned", value: [false, false, true] });
  });

  it("is false, and records nothing, where the code is known to have ended", async () => {
    const events = historyOf(completed("a:1"));
    const answers: boolean[] = [];
    const bench = start(
      events,
      async (run) => {
        await a(run);
        answers.push(new Patches(run).patched("p", 7), run.isReplaying);
      },
      { isComplete: true },
    );
    await bench.settle();
    expect(answers).toEqual([false, true]);
    expect(recordedIn(bench)).toEqual([]);
  });

  it("is told apart from an operation that was given its id", async () => {
    const bench = await ran([], (run, patches) => {
      void a(run, "patched(p)");
      return patches.patched("p", 7);
    });
    expect(bench.outcome()).toMatchObject({ type: "threw", error: expect.any(OperationIdConflictError) });
  });

  it("that is not asked for any more is missed, and what to do is said", async () => {
    const bench = await ran([completed("a:1"), marked("p")], (run) => a(run));
    const outcome = bench.outcome();
    const error = outcome?.type === "diverged" ? outcome.error : undefined;
    expect(error).toBeInstanceOf(NonDeterminismError);
    expect(error).toMatchObject({ position: 2, recorded: "patch_recorded of patched(p)", asked: "returned" });
    expect(error?.message).toContain('Put `ctx.deprecatePatch("p")` where `ctx.patched("p")` stood');
  });

  it("is answered by the place of the question: before and behind the end of the history", async () => {
    expect(await told(completed("a:1"))).toEqual({ type: "returned", value: true });
    expect(await told(completed("a:1"), marked("p"))).toEqual({ type: "returned", value: true });
  });
});

describe("deprecatePatch", () => {
  const program = async (run: Run, patches: Patches): Promise<unknown> => {
    patches.deprecate("p", 7);
    patches.deprecate("p", 7);
    await a(run);
    return "done";
  };

  it("accepts a history with the record and one without it, and records nothing", async () => {
    for (const events of [[marked("p"), completed("a:1")], [completed("a:1")]]) {
      const bench = await ran(events, program);
      expect(bench.outcome()).toEqual({ type: "returned", value: "done" });
      expect(recordedIn(bench)).toEqual([]);
    }
  });

  it("leaves `patched` of the same id its own answer", async () => {
    const answers = async (...events: readonly NewEvent[]): Promise<unknown> =>
      (
        await ran(events, (_, patches) => {
          patches.deprecate("p", 7);
          return patches.patched("p", 7);
        })
      ).outcome();
    expect(await answers()).toEqual({ type: "returned", value: true });
    expect(await answers(marked("p"))).toEqual({ type: "returned", value: true });
  });
});
