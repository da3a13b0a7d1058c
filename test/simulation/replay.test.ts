/** Random programs under random schedules: crash anywhere, replay, and nobody can tell the difference. */
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type HistoryEvent, operationKindOf } from "../../src/core/history.ts";
import type { Outcome } from "../../src/core/turn.ts";
import { effort } from "../support/effort.ts";
import { completedIn, Simulation } from "./harness.ts";
import { type Change, changed, type Program, programs } from "./program.ts";

const seeds = fc.integer();
const RUNS = 100 * effort;

/** What the process would have died of. */
const unhandled: unknown[] = [];
const remember = (reason: unknown): unknown => unhandled.push(reason);

beforeEach(() => {
  unhandled.length = 0;
  process.on("unhandledRejection", remember);
});

afterEach(async () => {
  await quiet();
  process.off("unhandledRejection", remember);
  expect(unhandled).toEqual([]);
});

/** Unhandled rejections are reported between macrotasks. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

function expectFollowed(outcome: Outcome | undefined): void {
  expect(outcome?.type === "diverged" ? outcome.error.message : "followed").toBe("followed");
}

/** How it ended, comparable. */
function endOf({ outcome }: Simulation): unknown {
  if (outcome?.type === "returned") return outcome;
  return { type: outcome?.type, error: String(outcome?.error) };
}

function expectAllAsked(run: Simulation, history: readonly HistoryEvent[]): void {
  for (const event of history) expect(run.asked.get(event.operationId)).toBe(operationKindOf(event));
}

/** The invariants of every run, however it ended. */
function expectSound(run: Simulation): void {
  expect(run.code.strangers).toEqual([]);
  for (const times of run.code.finals.values()) expect(times).toBe(1);
  for (const path of run.code.left) expect(run.code.finals.get(path)).toBe(1);
  // In order of `seq`, none skipped (X1); of a run that was dropped, some of it is not durable.
  const inOrder = completedIn(run.history).slice(0, run.delivered.length);
  expect(run.delivered).toEqual(run.isOver ? inOrder : run.delivered);
}

/** Each timer has one deadline, and never fires before it. */
function expectDeadlinesKept(history: readonly HistoryEvent[]): void {
  const deadlines = new Map<string, number>();
  for (const event of history) {
    if (event.kind === "timer_started") {
      expect(deadlines.has(event.operationId)).toBe(false);
      deadlines.set(event.operationId, event.fireAt);
    } else if (event.kind === "timer_fired") {
      expect(event.at).toBeGreaterThanOrEqual(deadlines.get(event.operationId) ?? Number.NaN);
    }
  }
}

async function expectSameAgain(run: Simulation, program: Program, seed: number): Promise<void> {
  const again = await new Simulation({ program, seed: seed + 1, history: run.history }).run();
  expect(again.code.trace).toEqual(run.code.trace);
  expect(again.delivered).toEqual(run.delivered);
  expect(endOf(again)).toEqual(endOf(run));
  expect(again.started).toEqual([]);
}

/** What happened in all the runs of a test, so that it cannot pass by never doing what it is about. */
interface Tally {
  parks: number;
  fulfilled: number;
  cancelled: number;
  caught: number;
  crashes: number;
}

const emptyTally = (): Tally => ({ parks: 0, fulfilled: 0, cancelled: 0, caught: 0, crashes: 0 });

interface Case {
  readonly program: Program;
  readonly seed: number;
  readonly sessions: boolean;
}

/** Crashes at every commit of a live run, goes on from there, and replays what came of it. */
async function crashEverywhere({ program, seed, sessions }: Case, tally: Tally): Promise<void> {
  const live = await new Simulation({ program, seed, sessions }).run();
  expectFollowed(live.outcome);
  expectSound(live);
  await expectSameAgain(live, program, seed);
  tally.parks += live.parks;
  tally.fulfilled += live.fulfilled;
  tally.cancelled += live.cancelled;
  tally.caught += live.code.trace.filter((line) => line.includes("caught")).length;
  tally.crashes += live.snapshots.length;
  for (const history of live.snapshots) {
    const survivor = await new Simulation({ program, seed, sessions, history }).run();
    expectFollowed(survivor.outcome);
    expectAllAsked(survivor, history);
    expectSound(survivor);
    expectDeadlinesKept(survivor.history);
    // A session may be durable while what the code saw before it is not: then the code has another past now.
    const replayed = sessions ? [] : (survivor.replayed ?? []);
    expect(live.code.trace.slice(0, replayed.length)).toEqual(replayed);
    await expectSameAgain(survivor, program, seed);
  }
}

describe("a crash at any commit", { timeout: 60_000 * effort }, () => {
  it("is replayed to the same operations, the same winners and the same end", async () => {
    const tally = emptyTally();
    const property = (program: Program, seed: number): Promise<void> =>
      crashEverywhere({ program, seed, sessions: false }, tally);
    await fc.assert(fc.asyncProperty(programs, seeds, property), { numRuns: RUNS });
    expect(tally.crashes).toBeGreaterThan(RUNS * 2);
    expect(tally.parks).toBeGreaterThan(RUNS / 10);
    expect(tally.caught).toBeGreaterThan(RUNS / 10);
  });

  it("is so too when activities commit their own record in a reserved place, late or never", async () => {
    const tally = emptyTally();
    const property = (program: Program, seed: number): Promise<void> =>
      crashEverywhere({ program, seed, sessions: true }, tally);
    await fc.assert(fc.asyncProperty(programs, seeds, property), { numRuns: RUNS });
    expect(tally.fulfilled).toBeGreaterThan(RUNS / 10);
    expect(tally.cancelled).toBeGreaterThan(RUNS / 20);
  });
});

describe("code that is dropped", () => {
  it("sees no error, runs no finally block and rejects nothing, wherever it stood", async () => {
    let unfinished = 0;
    await fc.assert(
      fc.asyncProperty(programs, seeds, fc.nat(60), async (program, seed, maxSteps) => {
        const run = await new Simulation({ program, seed, sessions: true, maxSteps }).run();
        await quiet();
        const observed = [...run.code.trace];
        const { outcome } = run;
        run.arriveLate();
        await quiet();
        expect(run.outcome).toBe(outcome);
        expect(run.code.trace).toEqual(observed);
        expectSound(run);
        if (!run.isOver) unfinished++;
      }),
      { numRuns: RUNS },
    );
    expect(unfinished).toBeGreaterThan(RUNS / 10);
  });
});

describe("changed code", () => {
  const changes = fc.constantFrom<Change>("rename", "remove", "change kind");

  it("diverges, and starts nothing, whenever it does not ask for what is recorded", async () => {
    const diverged: Record<Change, number> = { rename: 0, remove: 0, "change kind": 0 };
    const property = async (program: Program, seed: number, which: number, change: Change): Promise<void> => {
      const other = changed(program, which, change);
      fc.pre(other !== undefined);
      const live = await new Simulation({ program, seed }).run();
      for (const history of live.snapshots) {
        const run = await new Simulation({ program: other, seed, history }).run();
        expect(run.code.strangers).toEqual([]);
        if (history.every((event) => run.asked.get(event.operationId) === operationKindOf(event))) continue;
        expect(run.outcome?.type).toBe("diverged");
        expect(run.started).toEqual([]);
        expect(run.history).toEqual(history);
        diverged[change]++;
      }
    };
    await fc.assert(fc.asyncProperty(programs, seeds, fc.nat(), changes, property), { numRuns: RUNS });
    for (const count of Object.values(diverged)) expect(count).toBeGreaterThan(10);
  });
});
