/** Runs a program as a user's workflow would run: with plain async functions and the language's own combinators. */
import { ActivityError } from "../../src/core/errors.ts";
import type { Leaf, PlainProgram, PlainStep, Program, Step } from "./program.ts";

/** What a program needs of its surroundings. */
export interface Surroundings {
  /** One durable call. */
  call(leaf: Leaf): Promise<unknown>;
  patched(id: string): boolean;
  deprecate(id: string): void;
}

type Kind<D extends Step["do"]> = Extract<Step, { readonly do: D }>;

export class Interpretation {
  /** Everything that the code observed, in order. */
  readonly trace: string[] = [];
  /** What a catch block saw that no history can hold. */
  readonly strangers: unknown[] = [];
  /** How often the finally block at a path ran. */
  readonly finals = new Map<string, number>();
  /** Paths of the try statements that were left. */
  readonly left = new Set<string>();
  readonly #surroundings: Surroundings;
  readonly #spawned: Promise<void>[] = [];
  #last = 0;
  /** What branches that nobody awaits do after the end is nobody's business. */
  #ended = false;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  async run(program: Program): Promise<unknown> {
    try {
      await this.#run(program, "");
      return { last: this.#last, observed: this.trace.length };
    } finally {
      this.#ended = true;
    }
  }

  async #run(program: Program, path: string): Promise<void> {
    for (const [index, step] of program.entries()) {
      // In place, so that what a patch leaves as it was takes not a microtask longer than before.
      for (const inner of this.#chosen(step)) await this.#step(inner, `${path}/${index}`);
    }
  }

  #chosen(step: Step): PlainProgram {
    if (step.do === "patch") return this.#surroundings.patched(step.id) ? step.now : step.before;
    if (step.do !== "deprecated") return [step];
    this.#surroundings.deprecate(step.id);
    return step.now;
  }

  async #step(step: PlainStep, path: string): Promise<void> {
    switch (step.do) {
      case "op":
        this.#see(path, await this.#surroundings.call(step));
        break;
      case "ticks":
        for (let tick = 0; tick < step.count; tick++) await Promise.resolve();
        break;
      case "combine":
        this.#see(path, await this.#combine(step, path));
        break;
      case "try":
        await this.#try(step, path).finally(() => this.left.add(path));
        break;
      case "spawn":
        this.#spawn(step, path);
        break;
      case "join":
        await this.#spawned.shift();
        this.#see(path, "joined");
        break;
      case "if":
        await (this.#last % 2 === 0 ? this.#run(step.even, `${path}e`) : this.#run(step.odd, `${path}o`));
        break;
    }
  }

  #combine({ how, branches }: Kind<"combine">, path: string): Promise<unknown> {
    const running = branches.map(async (branch, index) => {
      await this.#run(branch, `${path}.${index}`);
      return index;
    });
    if (how === "all") return Promise.all(running);
    return how === "race" ? Promise.race(running) : Promise.any(running);
  }

  async #try({ body, handler, final }: Kind<"try">, path: string): Promise<void> {
    try {
      await this.#run(body, `${path}b`);
    } catch (error) {
      this.#check(error);
      this.#see(path, `caught ${String(error)}`);
      await this.#run(handler, `${path}c`);
    } finally {
      this.finals.set(path, (this.finals.get(path) ?? 0) + 1);
      this.#see(path, "finally");
      await this.#run(final, `${path}f`);
    }
  }

  #spawn({ body }: Kind<"spawn">, path: string): void {
    const running = this.#run(body, `${path}s`);
    // Its failure is for whoever joins it, if anybody.
    running.catch(() => {});
    this.#spawned.push(running);
  }

  #check(error: unknown): void {
    if (error instanceof AggregateError) for (const member of error.errors) this.#check(member);
    else if (!(error instanceof ActivityError)) this.strangers.push(error);
  }

  #see(path: string, value: unknown): void {
    if (typeof value === "number") this.#last = Math.floor(value);
    if (!this.#ended) this.trace.push(`${path}: ${JSON.stringify(value) ?? "nothing"}`);
  }
}
