/** Random workflows, as data: each is the input of one and the same workflow. */

export type Step =
  | Act
  | { readonly do: "sleep"; readonly ms: number }
  /** A compensation that is added by hand. */
  | { readonly do: "add"; readonly id: string }
  /** Branches beside each other; whatever fails in one of them counts when all of them have ended. */
  | { readonly do: "settle"; readonly branches: readonly Program[] }
  /** Branches of which one may fail while the others are under way: all that they do can be undone. */
  | { readonly do: "all"; readonly branches: readonly Program[] }
  /** Something that is tidied up behind it, come what may. */
  | { readonly do: "tidy"; readonly id: string; readonly body: Program };

interface Act {
  readonly do: "act";
  readonly id: string;
  readonly canBeUndone: boolean;
  /** What it does is a row that is written with its record. */
  readonly isTransactional: boolean;
  readonly fails: "not" | "and is caught" | "for good";
}

export type Program = readonly Step[];

type Roll = (sides: number) => number;

/** @param roll gives whole numbers from 1 */
export function randomProgram(roll: Roll): Program {
  let acts = 0;
  const id = (name: string): string => `${name}-${++acts}`;
  const chance = (percent: number): boolean => roll(100) <= percent;
  const act = (fails: Act["fails"], canBeUndone = chance(70)): Act => {
    return { do: "act", id: id("act"), canBeUndone, isTransactional: chance(60), fails };
  };
  const list = <T>(most: number, make: () => T): T[] => Array.from({ length: roll(most) }, make);
  const undoable = (): Step => (chance(80) ? act("not", true) : { do: "sleep", ms: roll(3) });
  const step = (depth: number): Step => {
    const kind = roll(100);
    if (kind <= 45 || depth === 0) return act(chance(12) ? "and is caught" : "not");
    if (kind <= 55) return { do: "sleep", ms: roll(4) };
    if (kind <= 65) return { do: "add", id: id("add") };
    if (kind <= 78) return { do: "settle", branches: list(3, () => list(3, () => step(depth - 1))) };
    if (kind <= 88) return { do: "all", branches: list(3, () => list(3, undoable)) };
    return { do: "tidy", id: id("tidy"), body: list(3, () => step(depth - 1)) };
  };
  const program = list(6, () => step(2));
  if (chance(30)) return program;
  const end: Step = chance(50)
    ? act("for good")
    : { do: "all", branches: [...list(3, () => list(3, undoable)), [...list(2, undoable), act("for good")]] };
  return chance(40)
    ? [...program, { do: "tidy", id: id("tidy"), body: [...list(2, () => step(1)), end] }]
    : [...program, end];
}
