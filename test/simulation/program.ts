/** Random workflow programs, as data, so that fast-check can generate, print and shrink them. */
import * as fc from "fast-check";
import type { OperationKind } from "../../src/core/history.ts";

/** One durable call. */
export interface Leaf {
  readonly do: "op";
  readonly kind: OperationKind;
  readonly name: string;
  /** Only for an activity. */
  readonly fails: boolean;
  /** Only for a timer: virtual milliseconds. */
  readonly ms: number;
}

/** A step that is in force whatever was deployed. */
export type PlainStep =
  | Leaf
  /** Plain awaits between durable calls: they shift what happens in which microtask. */
  | { readonly do: "ticks"; readonly count: number }
  | { readonly do: "combine"; readonly how: "all" | "race" | "any"; readonly branches: readonly Program[] }
  | { readonly do: "try"; readonly body: Program; readonly handler: Program; readonly final: Program }
  /** Starts a branch without awaiting it; `join` awaits the oldest one. */
  | { readonly do: "spawn"; readonly body: Program }
  | { readonly do: "join" }
  /** Decides by the last value that any branch has seen, so that a wrong order shows in what is asked. */
  | { readonly do: "if"; readonly even: Program; readonly odd: Program };

export type PlainProgram = readonly PlainStep[];

export type Step =
  | PlainStep
  /** What a deployment has changed: `now` runs where the patch is in force, `before` where it is not. */
  | { readonly do: "patch"; readonly id: string; readonly now: PlainProgram; readonly before: PlainProgram }
  /** The same a deployment later: only `now` is left. */
  | { readonly do: "deprecated"; readonly id: string; readonly now: PlainProgram };

export type Program = readonly Step[];

const activity = (fails: boolean): fc.Arbitrary<Leaf> =>
  fc.constantFrom("a", "b", "c").map((name) => ({ do: "op", kind: "activity", name, fails, ms: 0 }));

const sleep: fc.Arbitrary<Leaf> = fc
  .nat(40)
  .map((ms) => ({ do: "op", kind: "timer", name: "sleep", fails: false, ms }));

const value: fc.Arbitrary<Leaf> = fc
  .constantFrom("now", "random", "uuid")
  .map((name) => ({ do: "op", kind: "value", name, fails: false, ms: 0 }));

const { program: anyProgram } = fc.letrec<{ step: Step; program: Program }>((tie) => {
  const program = tie("program");
  const step: fc.Arbitrary<Step> = fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    { weight: 8, arbitrary: activity(false) },
    { weight: 1, arbitrary: activity(true) },
    { weight: 3, arbitrary: sleep },
    { weight: 3, arbitrary: value },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("ticks" as const), count: fc.nat(4) }) },
    { weight: 1, arbitrary: fc.constant({ do: "join" as const }) },
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant("combine" as const),
        how: fc.constantFrom("all" as const, "race" as const, "any" as const),
        branches: fc.array(program, { minLength: 1, maxLength: 3 }),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant("try" as const),
        // One that fails, so that handlers are not dead code in most programs.
        body: fc.tuple(program, activity(true)).map(([body, failing]) => [...body, failing]),
        handler: program,
        final: program,
      }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("spawn" as const), body: program }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("if" as const), even: program, odd: program }) },
  );
  return { step, program: fc.array(step, { maxLength: 4, depthIdentifier: "program" }) };
});

export const programs: fc.Arbitrary<Program> = fc
  .tuple(anyProgram, anyProgram)
  .map(([first, second]) => [...first, ...second]);

/** How somebody who does not know about replay may edit running code. */
export type Change = "rename" | "remove" | "change kind";

/** The program with one of its durable calls changed; `undefined` when it has none. */
export function changed(program: Program, which: number, change: Change): Program | undefined {
  if (countLeaves(program) === 0) return undefined;
  return editLeaf(program, which, (leaf) => {
    if (change === "remove") return [];
    if (change === "rename") return [{ ...leaf, name: `${leaf.name}2` }];
    return [{ ...leaf, kind: leaf.kind === "activity" ? "timer" : "activity" }];
  });
}

/** What stands in place of a durable call from some deployments on. */
export interface Patch {
  /** Which call. */
  readonly which: number;
  readonly id: string;
  readonly now: PlainProgram;
}

/** Leaves, timers and values that no other program has. */
const patchBody: fc.Arbitrary<PlainProgram> = fc.array(fc.oneof(activity(false), sleep, value), { maxLength: 3 });

export const patches: fc.Arbitrary<readonly Patch[]> = fc.uniqueArray(
  fc.record({ which: fc.nat(), id: fc.constantFrom("p", "q"), now: patchBody }),
  { minLength: 1, maxLength: 2, selector: ({ id }) => id },
);

/** The program with the patches put in. */
export function patched(program: Program, list: readonly Patch[]): Program {
  return list.reduce((changing, { which, id, now }) => {
    if (countLeaves(changing) === 0) return changing;
    return editLeaf(changing, which, (leaf) => [{ do: "patch", id, now, before: [leaf] }]);
  }, program);
}

/** The same when nothing but the patches is left. */
export function deprecated(program: Program): Program {
  return mapSteps(program, (step) =>
    step.do === "patch" ? [{ do: "deprecated", id: step.id, now: step.now }] : [step],
  );
}

/** The same when nobody knows any more that there were patches. */
export function cleared(program: Program): Program {
  return mapSteps(program, (step) => (step.do === "patch" || step.do === "deprecated" ? step.now : [step]));
}

/** The program with one of its durable calls, counted around, replaced. */
function editLeaf(program: Program, which: number, edit: (leaf: Leaf) => Program): Program {
  let left = which % countLeaves(program);
  return mapLeaves(program, (leaf) => (left-- === 0 ? edit(leaf) : [leaf]));
}

function mapLeaves(program: Program, edit: (leaf: Leaf) => Program): Program {
  return mapSteps(program, (step) => (step.do === "op" ? edit(step) : [step]));
}

/** Edits the steps that hold no others, and those that were patched in, as a whole. */
function mapSteps(program: Program, edit: (step: Step) => Program): Program {
  const inside = (part: Program): Program => mapSteps(part, edit);
  return program.flatMap((step) => mapStep(step, inside, edit));
}

function mapStep(step: Step, inside: (part: Program) => Program, edit: (step: Step) => Program): Program {
  switch (step.do) {
    case "combine":
      return [{ ...step, branches: step.branches.map(inside) }];
    case "try":
      return [{ ...step, body: inside(step.body), handler: inside(step.handler), final: inside(step.final) }];
    case "spawn":
      return [{ ...step, body: inside(step.body) }];
    case "if":
      return [{ ...step, even: inside(step.even), odd: inside(step.odd) }];
    default:
      return edit(step);
  }
}

function countLeaves(program: Program): number {
  let count = 0;
  mapLeaves(program, (leaf) => {
    count++;
    return [leaf];
  });
  return count;
}
