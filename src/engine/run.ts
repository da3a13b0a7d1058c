/**
 * One instance on this worker: drives its execution turn by turn, and makes commits, attempts and timers out of what it
 * asks for.
 *
 * Invariants (R1 ...):
 * R1. An attempt starts only when all that its instance recorded before is durable (the barrier).
 * R2. It is set aside only when every open operation is a wait, and its last commit says so.
 * R3. Once it is over, nothing it still hears of has any effect.
 */
import { encode, encodeThrown } from "../core/codec.ts";
import type { ChangeResult, InstancePatch } from "../core/commit.ts";
import { messageOf, StoreError } from "../core/errors.ts";
import { Execution, type Outcome, type Reservation, type Turn } from "../core/execution.ts";
import type { HistoryEvent, NewEvent } from "../core/history.ts";
import type { Operation } from "../core/operation.ts";
import type { Claim, InboxMessage } from "../store/store.ts";
import { validate } from "../workflow/schema.ts";
import type { AnyWorkflow } from "../workflow/workflow.ts";
import { ActivityTask, type TaskHost, type TaskOwner } from "./activity-task.ts";
import { Draft } from "./draft.ts";
import type { Journal } from "./journal.ts";
import { Mailbox } from "./mailbox.ts";
import { runAsWorkflow } from "./scope.ts";
import { Timers } from "./timers.ts";
import type { TurnQueue } from "./turn-queue.ts";
import { type ContextOptions, EngineWorkflowContext, type Request } from "./workflow-context.ts";

/** What a run needs from its worker. */
export interface RunHost extends TaskHost {
  readonly journal: Journal;
  readonly turns: TurnQueue;
  readonly randomBytes: ContextOptions["randomBytes"];
  /** It only waits, durably, until `wakeAt` in epoch milliseconds, or for messages alone. */
  onParked(run: Run, wakeAt: number | null): void;
  /** It has ended, durably. */
  onEnded(run: Run, patch: InstancePatch): void;
  /** It has got further than those whose workers died, durably. */
  onForgiven(run: Run): void;
  /** It is not run here any more. */
  onDropped(run: Run): void;
}

/** Code that has been quiet for so long, in milliseconds, with nothing durable under way, is warned of. */
const STUCK_WARNING = 5_000;

export class Run implements TaskOwner {
  readonly id: string;
  readonly workflow: AnyWorkflow;
  readonly #host: RunHost;
  readonly #args: readonly unknown[];
  readonly #execution: Execution<Request>;
  /** Activities without a record. */
  readonly #tasks = new Map<string, ActivityTask>();
  /** Those of them whose next attempt only waits for the barrier. */
  #ready: ActivityTask[] = [];
  readonly #timers: Timers;
  readonly #mailbox = new Mailbox();
  #claim: Claim;
  /** Deliveries that it has seen. */
  #signals: number;
  #lastOperation = "none";
  readonly #draft: Draft;
  /** A commit that the journal has not put into a batch yet: it will take all that is unsent by then. */
  #queued: Promise<boolean> | undefined;
  /** The last commit that was submitted; `undefined` when all is durable. */
  #pending: Promise<boolean> | undefined;
  /** Its code has ended or was dropped. */
  #over = false;
  /** It may write nothing any more. */
  #disowned = false;
  /** Whether the deaths of its former owners have been forgiven. */
  #isForgiven = false;
  #callOffWarning: (() => void) | undefined;

  constructor(
    claim: Claim,
    workflow: AnyWorkflow,
    args: readonly unknown[],
    history: readonly HistoryEvent[],
    host: RunHost,
  ) {
    this.id = claim.id;
    this.workflow = workflow;
    this.#host = host;
    this.#args = args;
    this.#claim = claim;
    this.#signals = claim.signals;
    this.#draft = new Draft(
      workflow.options.events !== undefined || history.some(({ kind }) => kind === "wait_started"),
    );
    this.#timers = new Timers(host.clock, () => this.#onAlarm());
    this.#execution = new Execution<Request>({
      history,
      program: () => runAsWorkflow(() => this.#program()),
      defer: host.turns.defer,
      onTurn: (turn) => this.#onTurn(turn),
    });
  }

  get epoch(): number {
    return this.#claim.epoch;
  }

  /** Whether it can go on in memory after it was set aside. */
  get isResumable(): boolean {
    return !this.#over && !this.#execution.hasStrayed;
  }

  /** Whether a turn is under way. */
  get isAdvancing(): boolean {
    return this.#execution.isAdvancing || this.#pending !== undefined;
  }

  start(): void {
    this.#execution.start();
  }

  /** Goes on in memory. Nobody else has run it meanwhile: only this claim has raised its epoch. */
  resume(claim: Claim, messages: readonly InboxMessage[]): void {
    this.#claim = claim;
    this.#signals = claim.signals;
    this.#isForgiven = false;
    this.#mailbox.add(messages);
    this.#execution.resume();
  }

  /** What is in its inbox, by what was delivered up to then. */
  receive(messages: readonly InboxMessage[], signals: number): void {
    // One that is set aside has said which deliveries it had seen: it will be claimed for those it has not.
    if (this.#over || this.#execution.isParked) return;
    this.#signals = signals;
    this.#mailbox.add(messages);
    this.#answerWaits();
  }

  /** Stops without a trace: the instance is somebody else's, or the worker stops (R3). */
  drop(reason: string): void {
    if (!this.#over) this.#disown(reason);
  }

  record(event: NewEvent): void {
    if (event.kind === "attempt_failed") this.#timers.set(event.operationId, event.retryAt);
    else this.#tasks.delete(event.operationId);
    this.#execution.record(event);
  }

  reserve(): Reservation {
    const place = this.#execution.reserve();
    return {
      ...place,
      fulfil: (event) => {
        this.#tasks.delete(event.operationId);
        place.fulfil(event);
      },
    };
  }

  onFenced(): void {
    this.drop("Another worker runs the instance");
  }

  async #program(): Promise<unknown> {
    const { fn, options, name } = this.workflow;
    const context = new EngineWorkflowContext(this.#execution, {
      instanceId: this.id,
      workflowName: name,
      clock: this.#host.clock,
      log: this.#host.environment.log,
      randomBytes: this.#host.randomBytes,
    });
    const result: unknown = await fn(context, ...(this.#args as never));
    return options.output ? validate(options.output, result, `The result of workflow ${name}`) : result;
  }

  #onTurn(turn: Turn<Request>): void {
    this.#callOffWarning?.();
    for (const event of turn.events) this.#draft.add(event, this.#mailbox.takePosition(event));
    if (turn.outcome) {
      this.#finish(turn.outcome);
      return;
    }
    for (const operation of turn.requested) this.#open(operation);
    // What is answered now comes back in the next turn, and is committed with it.
    if (this.#answerWaits() || this.#takeDue()) return;
    const wakeAt = this.#parkableUntil();
    if (wakeAt === undefined) this.#goOn();
    else this.#park(wakeAt);
  }

  #open({ id, request, recorded }: Operation<Request>): void {
    this.#lastOperation = id;
    if (request.type === "activity") {
      const task = new ActivityTask(this, id, request, recorded, this.#host);
      this.#tasks.set(id, task);
      if (task.retryAt === undefined) this.#ready.push(task);
      else this.#timers.set(id, task.retryAt);
      return;
    }
    const [started] = recorded?.events ?? [];
    if (request.type === "timer") {
      this.#timers.set(id, started?.kind === "timer_started" ? started.fireAt : request.fireAt);
    } else {
      const deadline = started?.kind === "wait_started" ? started.deadline : request.deadline;
      if (deadline !== null) this.#timers.set(id, deadline);
      this.#mailbox.open(id, request.waitFor);
    }
  }

  /** Answers waits with what is in the inbox; whether it did, so that another turn comes. */
  #answerWaits(): boolean {
    let answered = false;
    const next = (): NewEvent | undefined => this.#mailbox.answer(this.#host.clock.now());
    for (let event = next(); event; event = next()) {
      this.#timers.cancel(event.operationId);
      this.#execution.record(event);
      answered = true;
    }
    return answered;
  }

  /** Lets what is due happen; answers whether something was recorded, so that another turn comes. */
  #takeDue(): boolean {
    const at = this.#host.clock.now();
    let recorded = false;
    for (const operationId of this.#timers.takeDue(at)) {
      const task = this.#tasks.get(operationId);
      if (task) this.#wake(task);
      else this.#execution.record(this.#mailbox.timeUp(operationId, at) ?? { kind: "timer_fired", operationId, at });
      recorded ||= task === undefined;
    }
    return recorded;
  }

  #wake(task: ActivityTask): void {
    task.wake();
    this.#ready.push(task);
  }

  /**
   * Until when, in epoch milliseconds, it can be set aside, `null` for until a message comes; `undefined` when it must
   * stay (R2).
   */
  #parkableUntil(): number | null | undefined {
    for (const task of this.#tasks.values()) if (task.longRetryAt === undefined) return undefined;
    return this.#timers.earliest ?? (this.#mailbox.isAwaited ? null : undefined);
  }

  #park(wakeAt: number | null): void {
    this.#timers.disarm();
    this.#execution.park();
    const claim = this.#claim;
    const at = this.#host.clock.now();
    void this.#send({ event: "suspend", at, wakeAt, signals: this.#signals })?.then((applied) => {
      // It may have been claimed again, by us, between the commit and this moment.
      if (applied && !this.#over && claim === this.#claim) this.#host.onParked(this, wakeAt);
    });
  }

  #goOn(): void {
    this.#timers.arm();
    const durable = this.#send(undefined);
    if (durable) void durable.then(() => this.#startTasks());
    else this.#startTasks();
    if (this.#tasks.size === 0 && this.#timers.earliest === undefined && !this.#mailbox.isAwaited)
      this.#warnWhenStuck();
  }

  /** Starts attempts, unless something newer is not durable yet: its commit comes back here (R1). */
  #startTasks(): void {
    if (this.#over || this.#pending) return;
    for (const task of this.#ready.splice(0)) task.start();
  }

  #onAlarm(): void {
    if (this.#over || this.#takeDue()) return;
    this.#timers.arm();
    this.#startTasks();
  }

  #warnWhenStuck(): void {
    const { clock, environment } = this.#host;
    this.#callOffWarning = clock.at(clock.now() + STUCK_WARNING, () => {
      environment.log.warn(
        `Workflow ${this.workflow.name} (instance ${this.id}) awaits something that is not durable: a timer, a fetch or ` +
          `the like. Its last operation was ${this.#lastOperation}. Move such work into an activity.`,
      );
    });
  }

  #finish(outcome: Outcome): void {
    const patch = this.#patchFor(outcome);
    // A run that has left its history does not know what is true: it adds nothing.
    if (patch.event === "block") this.#draft.dropEvents();
    void this.#send(patch)?.then((applied) => {
      if (applied) this.#host.onEnded(this, patch);
    });
    this.#close("The workflow has ended");
  }

  #patchFor(outcome: Outcome): InstancePatch {
    const at = this.#host.clock.now();
    if (outcome.type === "diverged") return { event: "block", at, error: encodeThrown(outcome.error) };
    if (outcome.type === "threw") return { event: "fail", at, error: encodeThrown(outcome.error) };
    try {
      const what = `The result of workflow ${this.workflow.name}`;
      return { event: "complete", at, output: encode(outcome.value, what, this.#host.environment.maxValueBytes) };
    } catch (error) {
      return { event: "fail", at, error: encodeThrown(error) };
    }
  }

  /**
   * Has everything unsent committed, and the patch with it. Resolves when it and all before is judged, with whether it
   * was applied; `undefined` when all is durable already.
   */
  #send(patch: InstancePatch | undefined): Promise<boolean> | undefined {
    if (patch) this.#draft.patch = patch;
    if (this.#draft.isEmpty) return this.#pending;
    this.#queued ??= this.#submit();
    this.#pending = this.#queued;
    return this.#queued;
  }

  #submit(): Promise<boolean> {
    let patch: InstancePatch | undefined;
    let epoch = this.epoch;
    const pending = this.#host.journal
      .submit(() => {
        this.#queued = undefined;
        if (this.#disowned) return undefined;
        this.#draft.patch ??= this.#progress();
        patch = this.#draft.patch;
        epoch = this.epoch;
        return this.#draft.take(this.id, epoch);
      })
      .then((result) => {
        if (this.#pending === pending) this.#pending = undefined;
        // Its answer was lost, and meanwhile we have claimed what it had set aside: so it was applied.
        if (result?.type === "fenced" && epoch !== this.epoch) return true;
        return this.#judge(result, patch);
      });
    return pending;
  }

  /** What tells that it has got further than those whose workers died. */
  #progress(): InstancePatch | undefined {
    if (this.#isForgiven || this.#claim.recoveries === 0) return undefined;
    this.#isForgiven = true;
    return { event: "progress", at: this.#host.clock.now() };
  }

  #judge(result: ChangeResult | undefined, patch: InstancePatch | undefined): boolean {
    if (result?.type === "applied") {
      if (patch?.event === "progress") this.#host.onForgiven(this);
      return true;
    }
    if (result?.type === "refused") this.#failBecause(result.error, patch);
    else this.#disown("Another worker runs the instance");
    return false;
  }

  /** The database refused what this instance wrote: it fails, and no other (invariant 6). */
  #failBecause(error: unknown, refused: InstancePatch | undefined): void {
    const { environment, clock } = this.#host;
    environment.log.error("The database refused a change of an instance.", {
      instanceId: this.id,
      error: messageOf(error),
    });
    if (refused?.event === "fail") {
      this.#disown("The database refuses its changes");
      return;
    }
    this.#draft.dropEvents();
    const message = `The database refused what instance ${this.id} wrote: ${messageOf(error)}`;
    const reason = new StoreError(message, { cause: error });
    const patch: InstancePatch = { event: "fail", at: clock.now(), error: encodeThrown(reason) };
    void this.#send(patch)?.then((applied) => {
      if (applied) this.#host.onEnded(this, patch);
    });
    this.#close(message);
  }

  /** Lets go of the instance; what is not written yet is not written any more. */
  #disown(reason: string): void {
    this.#disowned = true;
    this.#close(reason);
    this.#host.onDropped(this);
  }

  #close(reason: string): void {
    this.#over = true;
    this.#callOffWarning?.();
    this.#timers.disarm();
    for (const task of this.#tasks.values()) task.abandon(new Error(reason));
    this.#execution.close();
  }
}
