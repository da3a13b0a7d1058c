/**
 * One instance on this worker: drives its execution turn by turn, and makes commits, attempts and timers out of what it
 * asks for.
 *
 * Invariants (R1 ...):
 * R1. An attempt starts only when all that its instance recorded before is durable (the barrier).
 * R2. It is set aside only when every open operation is a wait, and its last commit says so.
 * R3. Once it is over, nothing it still hears of has any effect.
 * R4. An action takes place in the commit that also holds all that was recorded before it was asked for.
 */
import { encodeThrown } from "../core/codec.ts";
import type { Advance, ChangeResult, InstancePatch } from "../core/commit.ts";
import { messageOf, StoreError } from "../core/errors.ts";
import { Execution, type Outcome, type Reservation, type Turn } from "../core/execution.ts";
import type { HistoryEvent, NewEvent, WaitFor } from "../core/history.ts";
import type { Operation } from "../core/operation.ts";
import type { Claim, InboxMessage } from "../store/store.ts";
import type { AnyWorkflow } from "../workflow/workflow.ts";
import { Actions } from "./actions.ts";
import { ActivityTask, type TaskOwner } from "./activity-task.ts";
import { Draft } from "./draft.ts";
import { patchFor } from "./ending.ts";
import type { Journal } from "./journal.ts";
import { Mailbox } from "./mailbox.ts";
import { runProgram } from "./program.ts";
import type { Request } from "./requests.ts";
import type { RunHost } from "./run-host.ts";
import { StuckWarning } from "./stuck-warning.ts";
import { Submissions, type SubmissionsHost } from "./submissions.ts";
import { Timers } from "./timers.ts";

export class Run implements TaskOwner, SubmissionsHost {
  readonly id: string;
  readonly workflow: AnyWorkflow;
  readonly #host: RunHost<Run>;
  readonly #execution: Execution<Request>;
  /** Activities without a record. */
  readonly #tasks = new Map<string, ActivityTask>();
  /** Those of them whose next attempt only waits for the barrier. */
  #ready: ActivityTask[] = [];
  readonly #timers: Timers;
  readonly #mailbox = new Mailbox();
  readonly #actions: Actions;
  #claim: Claim;
  /** Deliveries that it has seen. */
  #signals: number;
  #lastOperation = "none";
  readonly draft: Draft;
  readonly #submissions: Submissions;
  /** Its code has ended or was dropped. */
  #over = false;
  /** It may write nothing any more. */
  #disowned = false;
  /** Whether the deaths of its former owners have been forgiven. */
  #isForgiven = false;
  readonly #stuck: StuckWarning;

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
    this.draft = new Draft(
      workflow.options.events !== undefined ||
        claim.signals > 0 ||
        history.some(({ kind }) => kind === "wait_started" || kind === "action_completed"),
    );
    this.#timers = new Timers(host.clock, () => this.#onAlarm());
    this.#submissions = new Submissions(this);
    this.#stuck = new StuckWarning(workflow.name, this.id, host.clock, host.environment.log);
    const context = { instanceId: this.id, workflowName: workflow.name, ...host.environment };
    this.#execution = new Execution<Request>({
      history,
      program: () => runProgram(workflow, args, this.#execution, context),
      defer: host.turns.defer,
      onTurn: (turn) => this.#onTurn(turn),
    });
    this.#actions = new Actions({
      execution: this.#execution,
      draft: this.draft,
      now: () => host.clock.now(),
      hasMessages: (channel) => host.hasMessages(channel),
      openWait: (id, waitFor, deadline) => this.#openWait(id, waitFor, deadline),
      answer: (id, waitFor) => {
        const event = this.#mailbox.answerTo(id, waitFor, host.clock.now());
        if (event) this.#answerWith(event);
        return event !== undefined;
      },
      callOff: (id) => this.#timers.cancel(id),
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
    return { event: "progress", at: this.#host.clock.now() };
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
    return this.#execution.isAdvancing || this.#submissions.isPending;
  }

  start(): void {
    this.#execution.start();
  }

  /** Goes on in memory. Nobody else has run it meanwhile: only this claim has raised its epoch. */
  resume(claim: Claim, messages: readonly InboxMessage[]): void {
    this.#claim = claim;
    this.#signals = claim.signals;
    if (claim.signals > 0) this.draft.noteMail();
    this.#isForgiven = false;
    this.#mailbox.add(messages);
    this.#execution.resume();
    this.#actions.called();
  }

  /** What is in its inbox, by what was delivered up to then. */
  receive(messages: readonly InboxMessage[], signals: number): void {
    // One that is set aside has said which deliveries it had seen: it will be claimed for those it has not.
    if (this.#over || this.#execution.isParked) return;
    this.#signals = signals;
    if (signals > 0) this.draft.noteMail();
    this.#mailbox.add(messages);
    this.#answerWaits();
    this.#actions.called();
    // Another turn sends what that has come to.
    if (this.#actions.isBusy) this.#execution.turn();
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

  #onTurn(turn: Turn<Request>): void {
    this.#stuck.callOff();
    for (const event of turn.events) this.draft.add(event, this.#mailbox.takePosition(event));
    if (turn.outcome) {
      // What it has sent, and did not wait for, goes out with its end.
      for (const { id, request } of turn.requested)
        if (request.type === "action") this.#actions.ask(id, request.request);
      this.#finish(turn.outcome);
      return;
    }
    for (const operation of turn.requested) this.#open(operation);
    // What is answered now comes back in the next turn, and is committed with it.
    if (this.#answerWaits() || this.#takeDue() || this.#execution.isAdvancing) return;
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
    } else if (started?.kind === "wait_started") {
      this.#openWait(id, started.waitFor, started.deadline);
    } else if (request.type === "wait") {
      this.#openWait(id, request.waitFor, request.deadline);
    } else {
      this.#actions.ask(id, request.type === "receive" ? request : request.request);
    }
  }

  #openWait(id: string, waitFor: WaitFor, deadline: number | null): void {
    if (deadline !== null) this.#timers.set(id, deadline);
    if (waitFor.kind === "channel" && waitFor.mode === "competing") this.#actions.receive(id, waitFor.channel);
    else this.#mailbox.open(id, waitFor);
  }

  /** Answers waits with what is in the inbox; whether it did, so that another turn comes. */
  #answerWaits(): boolean {
    let answered = false;
    const next = (): NewEvent | undefined => this.#mailbox.answer(this.#host.clock.now());
    for (let event = next(); event; event = next()) {
      this.#answerWith(event);
      answered = true;
    }
    return answered;
  }

  #answerWith(event: NewEvent): void {
    this.#timers.cancel(event.operationId);
    this.#execution.record(event);
  }

  /** Lets what is due happen; answers whether something was recorded, so that another turn comes. */
  #takeDue(): boolean {
    const at = this.#host.clock.now();
    let recorded = false;
    for (const operationId of this.#timers.takeDue(at)) {
      const task = this.#tasks.get(operationId);
      if (task) this.#wake(task);
      if (task || this.#actions.expire(operationId)) continue;
      this.#execution.record(this.#mailbox.timeUp(operationId, at) ?? { kind: "timer_fired", operationId, at });
      recorded = true;
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
    if (this.#actions.isBusy) return undefined;
    for (const task of this.#tasks.values()) if (task.longRetryAt === undefined) return undefined;
    return this.#timers.earliest ?? (this.#isAwaiting ? null : undefined);
  }

  /** Whether it waits for messages. */
  get #isAwaiting(): boolean {
    return this.#mailbox.isAwaited || this.#actions.isAwaited;
  }

  #park(wakeAt: number | null): void {
    this.#timers.disarm();
    this.#execution.park();
    const claim = this.#claim;
    const at = this.#host.clock.now();
    void this.#submissions.send({ event: "suspend", at, wakeAt, signals: this.#signals })?.then((applied) => {
      // It may have been claimed again, by us, between the commit and this moment.
      if (applied && !this.#over && claim === this.#claim) this.#host.onParked(this, wakeAt);
    });
  }

  #goOn(): void {
    this.#timers.arm();
    const durable = this.#submissions.send();
    if (durable) void durable.then(() => this.#startTasks());
    else this.#startTasks();
    const isWaiting = this.#timers.earliest !== undefined || this.#isAwaiting || this.#actions.isBusy;
    if (this.#tasks.size === 0 && !isWaiting) this.#stuck.arm(this.#lastOperation);
  }

  /** Starts attempts, unless something newer is not durable yet: its commit comes back here (R1). */
  #startTasks(): void {
    if (this.#over || this.#submissions.isPending) return;
    for (const task of this.#ready.splice(0)) task.start();
  }

  #onAlarm(): void {
    if (!this.#over && !this.#takeDue()) this.#goOn();
  }

  #finish(outcome: Outcome): void {
    const { clock, environment, randomBytes, workerId } = this.#host;
    const { maxValueBytes } = environment;
    const at = clock.now();
    const patch = patchFor(outcome, { workflow: this.workflow.name, at, maxValueBytes, randomBytes, workerId });
    // A run that has left its history does not know what is true: it adds nothing.
    if (patch.event === "block") this.draft.dropEvents();
    this.#end(patch);
    this.#close("The workflow has ended");
  }

  #end(patch: InstancePatch): void {
    void this.#submissions.send(patch)?.then((applied) => {
      if (applied) this.#leave(patch);
    });
  }

  #leave(patch: InstancePatch): void {
    if (patch.event !== "recur") {
      this.#host.onEnded(this, patch);
      // What it was called for, and did not take, is another's.
      this.#host.onSent(0, this.#actions.competing);
      return;
    }
    const { id, input } = patch.successor;
    const { workflow } = this.#claim;
    // Its mailbox counts as one delivery: see `insertSuccessor`.
    this.#host.onRecurred(this, { id, workflow, input, epoch: 1, signals: this.#signals + 1, recoveries: 0 });
  }

  #onApplied(
    { actions = [] }: Advance,
    { answers = [], receivers = 0 }: Extract<ChangeResult, { type: "applied" }>,
  ): void {
    this.#actions.settle(actions, answers);
    const published = actions.flatMap(({ request }) => (request.type === "publish" ? [request.message.channel] : []));
    this.#host.onSent(receivers, published);
  }

  /** What came of a commit; whether it was applied. */
  judge(result: ChangeResult | undefined, advance: Advance | undefined): boolean {
    // Its answer was lost, and meanwhile we have claimed what it had set aside: so it was applied.
    if (result?.type === "fenced" && advance && advance.epoch !== this.epoch) return true;
    if (result?.type === "applied" && advance) {
      this.#onApplied(advance, result);
      if (advance.patch?.event === "progress") this.#host.onForgiven(this);
      return true;
    }
    if (result?.type === "refused") this.#failBecause(result.error, advance?.patch);
    else this.#disown("Another worker runs the instance");
    return false;
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
    const message = `The database refused what instance ${this.id} wrote: ${messageOf(error)}`;
    const reason = new StoreError(message, { cause: error });
    this.#end({ event: "fail", at: clock.now(), error: encodeThrown(reason) });
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
    this.#stuck.callOff();
    this.#timers.disarm();
    for (const task of this.#tasks.values()) task.abandon(new Error(reason));
    this.#actions.clear();
    this.#execution.close();
  }
}
