/**
 * An engine in miniature around one `Execution`: no database, no clock, no real activities. A seeded scheduler decides
 * what happens next: a task of the execution, a commit, the end of an activity, the passing of time. It keeps the rules
 * of `engine/run.ts`: turns are committed in order, activities start when all before is durable, waits are parked.
 */
import { expect } from "vitest";
import { encode, encodeThrown } from "../../src/core/codec.ts";
import { Execution, type Reservation } from "../../src/core/execution.ts";
import { type HistoryEvent, isCompletion, type NewEvent, type OperationKind } from "../../src/core/history.ts";
import { type Operation, OperationNames } from "../../src/core/operation.ts";
import { Patches } from "../../src/core/patches.ts";
import type { Outcome, Turn } from "../../src/core/turn.ts";
import { Interpretation } from "./interpreter.ts";
import type { Leaf, Program } from "./program.ts";
import { type Random, seededRandom } from "./random.ts";

interface Request {
  readonly leaf: Leaf;
  readonly fireAt: number;
}

export interface SimulationOptions {
  readonly program: Program;
  /** Of the scheduler. */
  readonly seed: number;
  readonly history?: readonly HistoryEvent[];
  /** Activities may commit their own record, in a place they reserved. */
  readonly sessions?: boolean;
  /** The process dies after so many steps of the scheduler. */
  readonly maxSteps?: number;
}

/** An activity that is under way. */
interface Task {
  readonly id: string;
  readonly leaf: Leaf;
  attempt: number;
  state: "ready" | "running" | "committing" | "committed";
  place: Reservation | undefined;
  event: NewEvent | undefined;
}

interface Commit {
  readonly events: readonly HistoryEvent[];
  readonly last: boolean;
}

/** More than any generated program needs: a run that takes longer is stuck. */
const ENOUGH_STEPS = 20_000;

export class Simulation {
  readonly code: Interpretation;
  readonly asked = new Map<string, OperationKind>();
  /** Ids of the activities that were started here. */
  readonly started: string[] = [];
  /** Ids of the operations in the order in which the code was answered. */
  readonly delivered: string[] = [];
  /** What the code was told of patches. */
  readonly answers = new Map<string, boolean>();
  /** What is durable after each commit, in order of `seq`. */
  readonly snapshots: (readonly HistoryEvent[])[] = [];
  outcome: Outcome | undefined;
  /** What the code had observed when it left what was recorded before. */
  replayed: readonly string[] | undefined;
  /** How often it was set aside. */
  parks = 0;
  /** What became of the reserved places. */
  fulfilled = 0;
  cancelled = 0;
  readonly #options: SimulationOptions;
  readonly #random: Random;
  readonly #execution: Execution<Request>;
  readonly #patches: Patches;
  readonly #names = new OperationNames();
  readonly #deferred: (() => void)[] = [];
  readonly #tasks = new Map<string, Task>();
  readonly #timers = new Map<string, number>();
  readonly #commits: Commit[] = [];
  #durable: HistoryEvent[];
  #unsent: HistoryEvent[] = [];
  #parked = false;
  #now: number;

  constructor(options: SimulationOptions) {
    const history = options.history ?? [];
    this.#options = options;
    this.#random = seededRandom(options.seed);
    this.#durable = [...history];
    this.#now = (history.at(-1)?.at ?? 0) + this.#random.below(30);
    this.code = new Interpretation({
      call: (leaf) => this.#call(leaf),
      patched: (id) => this.#patched(id),
      deprecate: (id) => this.#patches.deprecate(id, this.#now),
    });
    this.#execution = new Execution<Request>({
      instanceId: "simulated",
      history,
      program: () => this.code.run(options.program),
      defer: (task) => this.#deferred.push(task),
      onTurn: (turn) => this.#onTurn(turn),
    });
    this.#patches = new Patches(this.#execution);
  }

  get history(): readonly HistoryEvent[] {
    return this.#durable;
  }

  /** Whether the code ended and its end is durable. */
  get isOver(): boolean {
    return this.outcome !== undefined && this.#commits.length === 0;
  }

  async run(): Promise<this> {
    this.#execution.start();
    const limit = this.#options.maxSteps ?? ENOUGH_STEPS;
    for (let steps = 0; !this.isOver && steps < limit; steps++) {
      // A macrotask of its own for whatever happens next: every microtask of what happened before has run.
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      this.#step();
    }
    if (!this.isOver && this.#options.maxSteps === undefined) throw new Error("The run does not end.");
    this.#execution.close();
    return this;
  }

  /** What was under way when the run was dropped comes to its end: nobody may notice. */
  arriveLate(): void {
    for (const task of this.#tasks.values()) {
      if (task.state === "running") this.#execution.record(this.#completionOf(task));
      else if (task.event) task.place?.fulfil(task.event);
    }
    this.#execution.reserve().cancel();
    this.#execution.resume();
    for (const task of this.#deferred.splice(0)) task();
  }

  /** As the engine's workflow context does it. */
  async #call(leaf: Leaf): Promise<unknown> {
    const id = this.#names.next(leaf.name);
    if (!this.asked.has(id)) this.asked.set(id, leaf.kind);
    if (leaf.kind === "value") return this.#value(id);
    const fireAt = this.#now + leaf.ms;
    const opening: NewEvent = { kind: "timer_started", operationId: id, at: this.#now, fireAt };
    const answer = this.#execution.open(leaf.kind, id, { leaf, fireAt }, leaf.kind === "timer" ? opening : undefined);
    const note = (): unknown => this.delivered.push(id);
    answer.then(note, note);
    return answer;
  }

  #patched(id: string): boolean {
    const answer = this.#patches.patched(id, this.#now);
    if (!this.answers.has(id)) this.answers.set(id, answer);
    expect(answer).toBe(this.answers.get(id));
    return answer;
  }

  #value(id: string): number {
    return this.#execution.value(id, this.#now, () => {
      this.replayed ??= [...this.code.trace];
      return this.#random.below(1_000);
    });
  }

  #step(): void {
    const actions = this.#possibleActions();
    const action = actions[this.#random.below(actions.length)];
    if (!action) throw new Error(`The run is stuck: ${JSON.stringify(this.#options)}`);
    action();
  }

  #possibleActions(): (() => void)[] {
    const actions: (() => void)[] = [];
    const task = (): void => this.#deferred.shift()?.();
    // More often than the rest, but not always first: the world does not wait for the code.
    if (this.#deferred.length > 0) actions.push(task, task, task);
    if (this.#commits.length > 0) actions.push(() => this.#commit());
    for (const activity of this.#tasks.values()) {
      if (activity.state !== "ready") actions.push(() => this.#goOn(activity));
    }
    if (this.#timers.size > 0 && !(this.#parked && this.#commits.length > 0)) actions.push(() => this.#passTime());
    return actions;
  }

  #onTurn(turn: Turn<Request>): void {
    this.replayed ??= [...this.code.trace];
    this.#unsent.push(...turn.events);
    if (turn.outcome) {
      this.#finish(turn.outcome);
      return;
    }
    for (const operation of turn.requested) this.#open(operation);
    if (this.#fireDue()) return;
    this.#parked = this.#tasks.size === 0 && this.#timers.size > 0;
    if (this.#parked) {
      this.parks++;
      this.#execution.park();
    }
    this.#send(this.#parked, false);
    this.#startReady();
  }

  #open({ id, request, recorded }: Operation<Request>): void {
    const { leaf } = request;
    const last = recorded?.events.at(-1);
    if (leaf.kind === "timer") {
      this.#timers.set(id, last?.kind === "timer_started" ? last.fireAt : request.fireAt);
    } else {
      const attempt = last?.kind === "attempt_failed" ? last.attempt + 1 : 1;
      this.#tasks.set(id, { id, leaf, attempt, state: "ready", place: undefined, event: undefined });
    }
  }

  #finish(outcome: Outcome): void {
    this.outcome = outcome;
    this.#tasks.clear();
    this.#timers.clear();
    this.#execution.close();
    if (outcome.type === "diverged") this.#commits.length = 0;
    else this.#send(true, true);
  }

  #send(always: boolean, last: boolean): void {
    if (this.#unsent.length === 0 && !always) return;
    this.#commits.push({ events: this.#unsent, last });
    this.#unsent = [];
  }

  #commit(): void {
    const commit = this.#commits.shift();
    if (!commit) return;
    this.#makeDurable(commit.events);
    if (!commit.last) this.#startReady();
  }

  #makeDurable(events: readonly HistoryEvent[]): void {
    this.#durable = [...this.#durable, ...events].toSorted((a, b) => a.seq - b.seq);
    this.snapshots.push(this.#durable);
  }

  /** The barrier: nothing starts before all that was recorded is durable. */
  #startReady(): void {
    if (this.#commits.length > 0) return;
    for (const task of this.#tasks.values()) {
      if (task.state !== "ready") continue;
      task.state = "running";
      this.started.push(task.id);
    }
  }

  #goOn(task: Task): void {
    if (task.state === "running") this.#end(task);
    else if (task.state === "committed") this.#deliver(task);
    else if (this.#random.below(4) === 0) this.#refuse(task);
    else this.#commitSession(task);
  }

  #end(task: Task): void {
    if (task.attempt === 1 && this.#random.below(6) === 0) {
      this.#failAttempt(task);
    } else if (this.#options.sessions && !task.leaf.fails && this.#random.below(2) === 0) {
      task.state = "committing";
      task.place = this.#execution.reserve();
      task.event = this.#completionOf(task);
    } else {
      this.#tasks.delete(task.id);
      this.#execution.record(this.#completionOf(task));
    }
  }

  #commitSession(task: Task): void {
    if (task.place && task.event) this.#makeDurable([{ ...task.event, seq: task.place.seq }]);
    task.state = "committed";
  }

  #deliver(task: Task): void {
    this.#tasks.delete(task.id);
    if (task.event) task.place?.fulfil(task.event);
    this.fulfilled++;
  }

  /** The database refused: the place stays empty and the attempt counts as failed. */
  #refuse(task: Task): void {
    task.place?.cancel();
    this.cancelled++;
    this.#failAttempt(task);
  }

  #failAttempt(task: Task): void {
    const { id, attempt } = task;
    task.state = "ready";
    task.attempt++;
    const base = { operationId: id, at: this.#now, startedAt: this.#now, retryAt: this.#now };
    this.#execution.record({ ...base, kind: "attempt_failed", attempt, error: encodeThrown(new Error("once more")) });
  }

  #completionOf({ id, leaf, attempt }: Task): NewEvent {
    const base = { operationId: id, at: this.#now };
    // A result nobody could guess: a replay that runs anything anew gives itself away.
    const surprise = this.#random.below(1_000_000);
    if (!leaf.fails) return { ...base, kind: "activity_completed", result: encode(surprise, "A result") };
    const error = encodeThrown(new Error(`failed ${surprise}`));
    return { ...base, kind: "activity_failed", activity: leaf.name, attempts: attempt, error };
  }

  #passTime(): void {
    this.#now = Math.max(this.#now, Math.min(...this.#timers.values()));
    if (this.#parked) {
      this.#parked = false;
      this.#execution.resume();
    } else {
      this.#fireDue();
    }
  }

  #fireDue(): boolean {
    const due = [...this.#timers].filter(([, at]) => at <= this.#now).toSorted(([, a], [, b]) => a - b);
    for (const [operationId] of due) {
      this.#timers.delete(operationId);
      this.#execution.record({ kind: "timer_fired", operationId, at: this.#now });
    }
    return due.length > 0;
  }
}

/** The operations whose completion a history holds, in recorded order. */
export function completedIn(history: readonly HistoryEvent[]): string[] {
  return history.filter(isCompletion).map((event) => event.operationId);
}
