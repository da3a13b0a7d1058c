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

export type Step =
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
  const leaves = countLeaves(program);
  if (leaves === 0) return undefined;
  let left = which % leaves;
  const edit = (leaf: Leaf): Program => {
    if (left-- !== 0) return [leaf];
    if (change === "remove") return [];
    if (change === "rename") return [{ ...leaf, name: `${leaf.name}2` }];
    return [{ ...leaf, kind: leaf.kind === "activity" ? "timer" : "activity" }];
  };
  return mapLeaves(program, edit);
}

function mapLeaves(program: Program, edit: (leaf: Leaf) => Program): Program {
  return program.flatMap((step) => mapStep(step, edit));
}

function mapStep(step: Step, edit: (leaf: Leaf) => Program): Program {
  const inside = (part: Program): Program => mapLeaves(part, edit);
  switch (step.do) {
    case "op":
      return edit(step);
    case "combine":
      return [{ ...step, branches: step.branches.map(inside) }];
    case "try":
      return [{ ...step, body: inside(step.body), handler: inside(step.handler), final: inside(step.final) }];
    case "spawn":
      return [{ ...step, body: inside(step.body) }];
    case "if":
      return [{ ...step, even: inside(step.even), odd: inside(step.odd) }];
    case "ticks":
    case "join":
      return [step];
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
