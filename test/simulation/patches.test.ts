/** Random programs, patched in mid-life at any commit: nobody loses the thread, and live and replay agree. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NonDeterminismError } from "../../src/core/errors.ts";
import { type HistoryEvent, operationKindOf } from "../../src/core/history.ts";
import { effort } from "../support/effort.ts";
import { completedIn, Simulation, type SimulationOptions } from "./harness.ts";
import { cleared, deprecated, type Patch, type Program, patched, patches, programs } from "./program.ts";

const seeds = fc.integer();
const RUNS = 100 * effort;

function run(options: SimulationOptions): Promise<Simulation> {
  return new Simulation(options).run();
}

function expectFollowed({ outcome }: Simulation): void {
  expect(outcome?.type === "diverged" ? outcome.error.message : "followed").toBe("followed");
}

/** It says the same again, of patches too, and starts nothing. */
async function expectSameAgain(first: Simulation, program: Program, seed: number): Promise<void> {
  const again = await run({ program, seed: seed + 1, history: first.history });
  expectFollowed(again);
  expect(again.code.trace).toEqual(first.code.trace);
  expect(again.answers).toEqual(first.answers);
  expect(again.delivered).toEqual(completedIn(first.history).slice(0, again.delivered.length));
  expect(again.started).toEqual([]);
}

const marksIn = (history: readonly HistoryEvent[]): string[] =>
  history.flatMap((event) => (event.kind === "patch_recorded" ? [event.patch] : []));

/** What was told of patches in all runs of a test. */
interface Tally {
  old: number;
  new: number;
}

function count({ answers }: Simulation, tally: Tally): void {
  for (const isPatched of answers.values()) tally[isPatched ? "new" : "old"]++;
}

interface Case {
  readonly program: Program;
  readonly list: readonly Patch[];
  readonly seed: number;
  readonly sessions: boolean;
}

/** Deploys the patches at every commit of an old run, and lets the new code crash at one of the commits that follow. */
async function deployEverywhere({ program, list, seed, sessions }: Case, tally: Tally): Promise<void> {
  const current = patched(program, list);
  const old = await run({ program, seed, sessions });
  for (const history of [[], ...old.snapshots]) {
    const deployed = await run({ program: current, seed, sessions, history });
    expectFollowed(deployed);
    count(deployed, tally);
    await expectSameAgain(deployed, current, seed);
    const crashed = deployed.snapshots[Math.abs(seed) % (deployed.snapshots.length + 1)] ?? [];
    const survivor = await run({ program: current, seed: seed + 2, sessions, history: crashed });
    expectFollowed(survivor);
    // What was durable of a patch is told again.
    for (const id of marksIn(crashed)) expect(survivor.answers.get(id)).toBe(true);
    await expectSameAgain(survivor, current, seed);
  }
}

describe("a patch", { timeout: 120_000 * effort }, () => {
  it.each([false, true])(
    "is followed by whoever comes to it, whenever it was deployed (sessions: %s)",
    async (sessions) => {
      const tally: Tally = { old: 0, new: 0 };
      const property = (program: Program, list: readonly Patch[], seed: number): Promise<void> =>
        deployEverywhere({ program, list, seed, sessions }, tally);
      await fc.assert(fc.asyncProperty(programs, patches, seeds, property), { numRuns: RUNS / 4 });
      expect(tally.old).toBeGreaterThan(RUNS / 8);
      expect(tally.new).toBeGreaterThan(RUNS / 8);
    },
  );

  it("is in force in every instance that begins with it", async () => {
    await fc.assert(
      fc.asyncProperty(programs, patches, seeds, async (program, list, seed) => {
        const { answers, history } = await run({ program: patched(program, list), seed });
        expect([...answers.values()]).not.toContain(false);
        expect(marksIn(history)).toEqual([...answers.keys()]);
      }),
      { numRuns: RUNS },
    );
  });

  it("can be deprecated, and then taken out, when all instances have it", async () => {
    let withMarks = 0;
    const property = async (program: Program, list: readonly Patch[], seed: number): Promise<void> => {
      const current = await run({ program: patched(program, list), seed });
      const later = deprecated(patched(program, list));
      for (const history of current.snapshots) {
        const deployed = await run({ program: later, seed, history });
        expectFollowed(deployed);
        expect(marksIn(deployed.history)).toEqual(marksIn(history));
        await expectSameAgain(deployed, later, seed);
        withMarks += marksIn(history).length;
      }
      const fresh = await run({ program: later, seed });
      expect(marksIn(fresh.history)).toEqual([]);
      expectFollowed(await run({ program: cleared(later), seed, history: fresh.history }));
    };
    await fc.assert(fc.asyncProperty(programs, patches, seeds, property), { numRuns: RUNS / 4 });
    expect(withMarks).toBeGreaterThan(RUNS / 4);
  });

  it("that is taken out at once is missed where it was recorded, and nothing is started", async () => {
    let missed = 0;
    const property = async (program: Program, list: readonly Patch[], seed: number): Promise<void> => {
      const current = await run({ program: patched(program, list), seed });
      for (const history of current.snapshots) {
        const deployed = await run({ program: cleared(patched(program, list)), seed, history });
        if (history.every((event) => deployed.asked.get(event.operationId) === operationKindOf(event))) continue;
        const { outcome } = deployed;
        const error = outcome?.type === "diverged" ? outcome.error : undefined;
        expect(error).toBeInstanceOf(NonDeterminismError);
        if (error?.message.includes("patch_recorded")) expect(error.message).toContain("ctx.deprecatePatch(");
        expect(deployed.started).toEqual([]);
        missed++;
      }
    };
    await fc.assert(fc.asyncProperty(programs, patches, seeds, property), { numRuns: RUNS });
    expect(missed).toBeGreaterThan(RUNS / 2);
  });
});
