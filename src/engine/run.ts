/**
 * One instance on this worker: drives its execution turn by turn, and makes commits, attempts and timers out of what it
 * asks for.
 *
 * Invariants (R1 ...):
 * R1. An attempt starts only when all that its instance recorded before is durable (the barrier).
 * R2. It is set aside only when every open operation is a wait, and its last commit says so.
 * R3. Once it is over, nothing it still hears of has any effect.
 * R4. An action takes place in the commit that also holds all that was recorded before it was asked for.
 * R5. A cancel that was asked for before its end was committed counts: an end that does not know of it does not apply.
 * R6. Nothing is undone before all that may have to be undone has come to its outcome, durably.
 */
import type { Advance, ChangeResult, InstancePatch } from "../core/commit.ts";
import { CancelledError, messageOf } from "../core/errors.ts";
import { Execution, type ExecutionSource } from "../core/execution.ts";
import type { HistoryEvent, NewEvent } from "../core/history.ts";
import type { Reservation } from "../core/slot.ts";
import type { Outcome, Turn } from "../core/turn.ts";
import type { Call, CancelRequest, Claim, InboxMessage } from "../store/store.ts";
import type { AnyWorkflow } from "../workflow/workflow.ts";
import type { TaskOwner } from "./activity-task.ts";
import { Cancellation } from "./cancellation.ts";
import { CodeWarnings } from "./code-warnings.ts";
import { Draft, hearsAlready } from "./draft.ts";
import { endingOf, patchForRefusal, patchForRollback, patchForVerdict } from "./ending.ts";
import type { Journal } from "./journal.ts";
import { OpenOperations } from "./open-operations.ts";
import { runProgram } from "./program.ts";
import { successorOf } from "./recurrence.ts";
import { rejoining } from "./rejoining.ts";
import type { Request } from "./requests.ts";
import { Rollback, splitHistory, type Verdict } from "./rollback.ts";
import { FIRST_EPOCH, type RunHost } from "./run-host.ts";
import { isInCleanup } from "./scope.ts";
import { Submissions, type SubmissionsHost } from "./submissions.ts";
import { RunFacts } from "./watching/run-facts.ts";

export class Run implements TaskOwner, SubmissionsHost {
  readonly id: string;
  readonly workflow: AnyWorkflow;
  /** Tells hooks; absent where there are none. */
  readonly facts: RunFacts | undefined;
  readonly #host: RunHost<Run>;
  /** Of the code, or of the undoing of what it has done. */
  #execution: Execution<Request>;
  readonly #open: OpenOperations;
  readonly #cancellation = new Cancellation();
  readonly #rollback: Rollback;
  #cancel: CancelRequest | undefined;
  /** What the code came to, once it has ended. */
  #outcome: Outcome | undefined;
  #claim: Claim;
  /** Deliveries that it has seen. */
  #signals: number;
  readonly draft: Draft;
  readonly #submissions: Submissions;
  /** Its code has ended or was dropped. */
  #over = false;
  /** It may write nothing any more. */
  #disowned = false;
  /** Whether the deaths of its former owners have been forgiven. */
  #isForgiven = false;
  readonly #warnings: CodeWarnings;

  constructor(
    claim: Claim,
    workflow: AnyWorkflow,
    args: readonly unknown[],
    history: readonly HistoryEvent[],
    host: RunHost<Run>,
  ) {
    this.id = claim.id;
    this.workflow = workflow;
    this.#host = host;
    this.#claim = claim;
    this.#signals = claim.signals;
    this.draft = new Draft(hearsAlready(workflow, claim, history));
    this.#submissions = new Submissions(this);
    this.#warnings = new CodeWarnings(workflow.name, this.id, host.clock, host.environment.log);
    this.draft.isChild = claim.parentId !== undefined;
    const { code, rollback } = splitHistory(history);
    this.#rollback = new Rollback(rollback);
    this.facts = host.hooks && new RunFacts(host.hooks, host.clock, claim, code);
    if (claim.cancel && (rollback || code.some(({ kind }) => kind === "cancel_requested"))) this.#knowOf(claim.cancel);
    const own = { instanceId: this.id, workflowName: workflow.name, cancellation: this.#cancellation };
    const kept = { saga: this.#rollback.saga, onRejoined: rejoining(this.draft, workflow, args, history) };
    const known = { traceContext: claim.traceContext ?? null, knows: (other: AnyWorkflow) => host.knows(other) };
    const context = { ...own, ...kept, ...known, ...host.environment };
    const program = (): unknown => runProgram(workflow, args, this.#execution, context);
    this.#execution = this.#createExecution({ history: code, isComplete: rollback !== undefined, program });
    this.#open = new OpenOperations(this, host, this.draft, this.#execution, () => this.#onAlarm());
  }

  #createExecution(source: ExecutionSource): Execution<Request> {
    return new Execution<Request>({
      ...source,
      instanceId: this.id,
      defer: this.#host.turns.defer,
      onTurn: (turn) => this.#onTurn(turn),
      isShielded: isInCleanup,
      onCancel: (error) => this.#cancellation.abort(error),
      onEvent: (event, request) => {
        this.#rollback.saga.note(event);
        this.facts?.cameTo(event, request?.type === "activity" ? request.activity : undefined);
      },
    });
  }

  get journal(): Journal {
    return this.#host.journal;
  }

  get mayWrite(): boolean {
    return !this.#disowned;
  }

  /** Tells that it has got further than those whose workers died. */
  progress(): InstancePatch | undefined {
    if (this.#isForgiven || this.#claim.recoveries === 0) return undefined;
    this.#isForgiven = true;
    return { event: "progress", at: this.#host.clock.now(), error: this.#rollback.verdict?.error ?? null };
  }

  get epoch(): number {
    return this.#claim.epoch;
  }

  /** The request to cancel it, if it knows of one. */
  get cancel(): CancelRequest | undefined {
    return this.#cancel;
  }

  /** Whether it can go on in memory after it was set aside. */
  get isResumable(): boolean {
    return !this.#over && !this.#execution.hasStrayed;
  }

  /** Whether a turn is under way. */
  get isAdvancing(): boolean {
    return this.#execution.isAdvancing || this.#submissions.isPending;
  }

  start(): void {
    const { cancel } = this.#claim;
    if (cancel && !this.#cancel && this.#claim.epoch === FIRST_EPOCH) {
      // Nobody has run it before: there is nothing to clean up. After a crash there may be, and no record of it.
      this.#knowOf(cancel);
      this.#outcome = { type: "threw", error: new CancelledError(this.id, cancel.reason ?? undefined) };
      this.#settleOutcome();
      return;
    }
    this.facts?.replayStarted();
    this.#execution.start();
    this.#heed(cancel);
  }

  /** Goes on in memory. Nobody else has run it meanwhile: only this claim has raised its epoch. */
  resume(claim: Claim, messages: readonly InboxMessage[]): void {
    this.#claim = claim;
    this.#signals = claim.signals;
    if (claim.signals > 0) this.draft.noteMail();
    this.#isForgiven = false;
    this.#open.add(messages);
    this.#execution.resume();
    this.#open.called();
    this.#heed(claim.cancel);
  }

  /** What is in its inbox, by what was delivered up to then; and what else was asked of it. */
  receive(messages: readonly InboxMessage[], { signals, cancel }: Call): void {
    // One that is set aside has said which deliveries it had seen: it will be claimed for those it has not.
    if (this.#over || this.#execution.isParked) return;
    this.#signals = signals;
    if (signals > 0) this.draft.noteMail();
    this.#open.add(messages);
    this.#open.answerWaits();
    this.#open.called();
    // Another turn sends what that has come to.
    if (this.#open.isBusy) this.#execution.turn();
    this.#heed(cancel);
  }

  /** Stops without a trace: the instance is somebody else's, or the worker stops (R3). */
  drop(reason: string): void {
    if (!this.#over) this.#disown(reason);
  }

  record(event: NewEvent): void {
    if (event.kind === "attempt_failed") this.#open.putOff(event.operationId, event.retryAt);
    else this.#open.tasks.close(event.operationId);
    this.#execution.record(event);
  }

  reserve(): Reservation {
    const place = this.#execution.reserve();
    return {
      ...place,
      fulfil: (event) => {
        this.#open.tasks.close(event.operationId);
        place.fulfil(event);
      },
    };
  }

  onFenced(): void {
    this.drop("Another worker runs the instance");
  }

  #onTurn(turn: Turn<Request>): void {
    this.#warnings.callOff();
    for (const event of turn.events) this.draft.add(event, this.#open.takePosition(event));
    if (turn.outcome) {
      // What it has sent, and did not wait for, goes out with its end.
      this.#open.send(turn.requested);
      if (turn.outcome.type === "returned") this.#warnings.ended(turn.requested);
      this.#outcome = turn.outcome;
    }
    // What must have ended, by its record, and has not.
    else if (this.#rollback.isAwaited) {
      this.#outcome ??= { type: "diverged", error: this.#rollback.divergence(this.#open.last) };
    }
    if (this.#outcome) {
      this.#settleOutcome();
      return;
    }
    for (const operation of turn.requested) this.#open.open(operation);
    // What is answered now comes back in the next turn, and is committed with it.
    if (this.#open.answerWaits() || this.#open.takeDue() || this.#execution.isAdvancing) return;
    const wakeAt = this.#open.quietUntil;
    if (wakeAt === undefined) this.#goOn();
    else this.#park(wakeAt);
  }

  #park(wakeAt: number | null): void {
    this.#open.disarm();
    this.#execution.park();
    const claim = this.#claim;
    const at = this.#host.clock.now();
    const error = this.#rollback.verdict?.error ?? null;
    void this.#submissions.send({ event: "suspend", at, error, wakeAt, signals: this.#signals })?.then((applied) => {
      // It may have been claimed again, by us, between the commit and this moment.
      if (applied && !this.#over && claim === this.#claim) this.#host.onParked(this, wakeAt);
    });
  }

  #goOn(): void {
    this.#open.arm();
    if (!this.#submissions.send()) this.onDurable();
    if (this.#open.isEmpty && !this.#outcome) this.#warnings.arm(this.#open.last);
  }

  /** Starts attempts, unless more was recorded meanwhile, which the next turn will send (R1). */
  onDurable(): void {
    if (!this.#over && this.draft.isEmpty) this.#open.tasks.start();
  }

  #onAlarm(): void {
    if (!this.#over && !this.#open.takeDue()) this.#goOn();
  }

  /** Has the code told of a request to cancel it, unless it was, or has ended. */
  #heed(cancel: CancelRequest | undefined): void {
    if (!cancel || this.#cancel || this.#rollback.verdict || this.#over) return;
    this.#knowOf(cancel);
    if (this.#outcome) return;
    const { reason } = cancel;
    this.#execution.record({ kind: "cancel_requested", operationId: "cancel", at: this.#host.clock.now(), reason });
    this.#open.cancel(new CancelledError(this.id, reason ?? undefined));
  }

  #knowOf(cancel: CancelRequest): void {
    this.#cancel = cancel;
    this.draft.knowsOfCancel = true;
  }

  /** The code has ended: ends the instance, at once or when all is undone that it has done. */
  #settleOutcome(): void {
    const outcome = this.#outcome as Outcome;
    // A run that has left its history does not know what is true: it adds nothing.
    if (outcome.type === "diverged") this.draft.dropEvents();
    const { verdict } = this.#rollback;
    if (verdict) {
      this.#finish(patchForRollback(verdict, outcome, this.#host.clock.now()));
      return;
    }
    const ending = endingOf(outcome, this.#cancel !== undefined, this.workflow, this.#host);
    if (ending.type === "at_once") {
      this.#finish(ending.patch);
      return;
    }
    this.#open.stop(new Error("The workflow has ended"));
    // R6
    if (this.#open.tasks.size > 0 || !this.#execution.isDrained) this.#goOn();
    else if (this.#rollback.isNeeded) this.#rollBack(ending.verdict);
    else this.#finish(patchForVerdict(ending.verdict, [], this.#host.clock.now()));
  }

  /** Undoes what the code has done: goes on where that was left, if it was begun. */
  #rollBack(verdict: Verdict): void {
    const at = this.#host.clock.now();
    const { event, history, after, run } = this.#rollback.begin(verdict, this.#execution.lastSeq, at);
    this.#execution.close();
    this.#outcome = undefined;
    this.draft.isCompensating = true;
    if (event) {
      this.draft.add(event, undefined);
      this.draft.patch = { event: "compensate", at, error: verdict.error };
    }
    this.#execution = this.#createExecution({ history, after, program: () => run(this.#execution) });
    this.#open.attach(this.#execution);
    this.#execution.start();
  }

  #finish(patch: InstancePatch): void {
    void this.#submissions.send(patch)?.then((applied) => {
      if (applied) this.#leave(patch);
    });
    this.#close("The workflow has ended");
  }

  #leave(patch: InstancePatch): void {
    if (patch.event !== "recur") {
      this.#host.onEnded(this, patch);
      // What it was called for, and did not take, is another's.
      this.#host.onSent(0, this.#open.competing);
      return;
    }
    // Its mailbox counts as one delivery: see `insertSuccessor`.
    this.#host.onRecurred(this, successorOf(this.#claim, patch, this.#signals + 1));
  }

  #onApplied(advance: Advance, result: Extract<ChangeResult, { type: "applied" }>): void {
    const { answers = [], receivers = 0, unheard = [] } = result;
    this.#open.settle(advance.actions ?? [], answers);
    this.facts?.applied(advance, answers, this.#cancel?.reason ?? undefined);
    if (receivers + unheard.length > 0) this.#host.onSent(receivers, unheard);
  }

  /** What came of a commit; whether it was applied. */
  judge(result: ChangeResult | undefined, advance: Advance | undefined): boolean {
    // Its answer was lost, and meanwhile we have claimed what it had set aside: so it was applied.
    if (result?.type === "fenced" && advance && advance.epoch !== this.epoch) {
      this.facts?.applied(advance, []);
      return true;
    }
    if (result?.type === "applied" && advance) {
      this.#onApplied(advance, result);
      if (advance.patch?.event === "progress") this.#host.onForgiven(this);
      return true;
    }
    if (result?.type === "refused") this.#failBecause(result.error, advance?.patch);
    else if (result?.type === "called_off" && advance) this.#keepWhatHappened(advance);
    else this.#disown("Another worker runs the instance");
    return false;
  }

  /** It would have ended, but for a cancel that it had not seen (R5): it is taken up again from its history. */
  #keepWhatHappened(advance: Advance): void {
    this.#close("It is to be cancelled");
    // A rollback that has not begun: how it is to end is another matter now.
    const events = advance.events.filter(({ kind }) => kind !== "rollback_started");
    const kept = { ...advance, events, patch: undefined, clears: false };
    const written = this.journal.submit(() => kept, this.id);
    void written.then(() => this.#disown("It is to be cancelled"));
  }

  /** The database refused what this instance wrote: it fails, and no other (invariant 6). */
  #failBecause(error: unknown, refused: InstancePatch | undefined): void {
    const { environment, clock } = this.#host;
    const facts = { instanceId: this.id, error: messageOf(error) };
    environment.log.error("The database refused a change of an instance.", facts);
    if (refused?.event === "fail") {
      this.#disown("The database refuses its changes");
      return;
    }
    this.draft.dropEvents();
    this.#finish(patchForRefusal(this.id, error, clock.now()));
  }

  /** Lets go of the instance; what is not written yet is not written any more. */
  #disown(reason: string): void {
    this.#disowned = true;
    this.#close(reason);
    this.#host.onDropped(this);
  }

  #close(reason: string): void {
    this.#over = true;
    this.#warnings.callOff();
    this.#open.clear(reason);
    this.#execution.close();
  }
}
