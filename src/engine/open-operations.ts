/** What one run's code waits for: activities, timers, messages, and what the database is to do. */
import type { ActionRequest } from "../core/action.ts";
import type { Execution } from "../core/execution.ts";
import type { HistoryEvent, NewEvent, WaitFor } from "../core/history.ts";
import type { Operation } from "../core/operation.ts";
import type { InboxMessage } from "../store/store.ts";
import { Actions } from "./actions.ts";
import type { TaskHost, TaskOwner } from "./activity-task.ts";
import type { Draft } from "./draft.ts";
import { Mailbox } from "./mailbox.ts";
import type { Request } from "./requests.ts";
import { Tasks } from "./tasks.ts";
import { Timers } from "./timers.ts";

interface Host extends TaskHost {
  /** Whether the channel has messages to be taken. */
  hasMessages(channel: string): Promise<boolean>;
}

export class OpenOperations {
  readonly tasks: Tasks;
  readonly #owner: TaskOwner;
  readonly #host: Host;
  readonly #draft: Draft;
  readonly #timers: Timers;
  readonly #mailbox = new Mailbox();
  /** Operations that go on though the instance is cancelled. */
  readonly #shielded = new Set<string>();
  #execution: Execution<Request>;
  /** Made for the first one: most runs have none. */
  #actions: Actions | undefined;
  /** The id of the last one that was asked for. */
  last = "none";

  /** @param onAlarm something is due */
  constructor(owner: TaskOwner, host: Host, draft: Draft, execution: Execution<Request>, onAlarm: () => void) {
    this.#owner = owner;
    this.#host = host;
    this.#draft = draft;
    this.tasks = new Tasks(owner, host);
    this.#timers = new Timers(host.clock, onAlarm);
    this.#execution = execution;
  }

  /** Whether anything is under way that the code waits for. */
  get isEmpty(): boolean {
    return this.tasks.size === 0 && !this.isBusy && this.#timers.isEmpty && !this.#isAwaiting;
  }

  /** Whether the database is to do something. */
  get isBusy(): boolean {
    return this.#actions?.isBusy ?? false;
  }

  /** Competing channels of which it has received, or would have. */
  get competing(): readonly string[] {
    return this.#actions?.competing ?? [];
  }

  /**
   * Until when, in epoch milliseconds, there is only waiting, `null` for until a message comes; `undefined` when there
   * is more than that.
   */
  get quietUntil(): number | null | undefined {
    if (this.isBusy || !this.tasks.arePutOff) return undefined;
    return this.#timers.earliest ?? (this.#isAwaiting ? null : undefined);
  }

  /** Whether messages are waited for. */
  get #isAwaiting(): boolean {
    return this.#mailbox.isAwaited || (this.#actions?.isAwaited ?? false);
  }

  /** The rest is another execution's. */
  attach(execution: Execution<Request>): void {
    this.#actions?.clear();
    this.#execution = execution;
    this.#actions = undefined;
  }

  open({ id, request, recorded, isShielded }: Operation<Request>): void {
    this.last = id;
    if (isShielded) this.#shielded.add(id);
    if (request.type === "activity") {
      const retryAt = this.tasks.open(id, request, recorded);
      if (retryAt !== undefined) this.#timers.set(id, retryAt);
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
      this.#act(id, request.type === "receive" ? request : request.request);
    }
  }

  /** Has done what the code has asked the database for, and does not wait for any more; but what is begun is begun. */
  send(requested: readonly Operation<Request>[]): void {
    for (const { id, request, recorded } of requested) {
      if (request.type === "action" && recorded === undefined) this.#act(id, request.request);
    }
  }

  /** An attempt has failed, and another will be made then. */
  putOff(id: string, until: number): void {
    this.#timers.set(id, until);
  }

  /** Takes in what is in the inbox. */
  add(messages: readonly InboxMessage[]): void {
    this.#mailbox.add(messages);
  }

  /** The place in the inbox of the message that the event tells of. Once only. */
  takePosition(event: HistoryEvent): number | undefined {
    return this.#mailbox.takePosition(event);
  }

  /** Something was sent to the instance, or it was called to take something. */
  called(): void {
    this.#actions?.called();
  }

  /** What came of actions, durably. */
  settle(...answered: Parameters<Actions["settle"]>): void {
    this.#actions?.settle(...answered);
  }

  /** Answers waits with what is in the inbox; whether it did, so that another turn comes. */
  answerWaits(): boolean {
    if (!this.#mailbox.isAwaited) return false;
    let answered = false;
    const next = (): NewEvent | undefined => this.#mailbox.answer(this.#host.clock.now());
    for (let event = next(); event; event = next()) {
      this.#answerWith(event);
      answered = true;
    }
    return answered;
  }

  /** Lets what is due happen; answers whether something was recorded, so that another turn comes. */
  takeDue(): boolean {
    if (this.#timers.isEmpty) return false;
    const at = this.#host.clock.now();
    let recorded = false;
    for (const operationId of this.#timers.takeDue(at)) {
      if (this.tasks.wake(operationId) || this.#actions?.expire(operationId)) continue;
      this.#execution.record(this.#mailbox.timeUp(operationId, at) ?? { kind: "timer_fired", operationId, at });
      recorded = true;
    }
    return recorded;
  }

  /** Calls when something is due. */
  arm(): void {
    this.#timers.arm();
  }

  disarm(): void {
    this.#timers.disarm();
  }

  /** Ends what is not shielded: see `Tasks.stop`. */
  cancel(reason: Error): void {
    this.#stop(reason, (operationId) => this.#shielded.has(operationId));
  }

  /** Ends all. */
  stop(reason: Error): void {
    this.#stop(reason, () => false);
  }

  /** The run is over. */
  clear(reason: string): void {
    this.#timers.disarm();
    this.tasks.abandon(reason);
    this.#actions?.clear();
  }

  #stop(reason: Error, isKept: (operationId: string) => boolean): void {
    this.tasks.stop(reason, isKept);
    this.#timers.keepOnly(isKept);
    this.#mailbox.keepOnly(isKept);
    this.#actions?.keepOnly(isKept);
  }

  #openWait(id: string, waitFor: WaitFor, deadline: number | null): void {
    if (deadline !== null) this.#timers.set(id, deadline);
    if (waitFor.kind === "channel" && waitFor.mode === "competing") this.#needActions().receive(id, waitFor.channel);
    else this.#mailbox.open(id, waitFor);
  }

  /** Has it done by the next commit. */
  #act(id: string, request: ActionRequest): void {
    this.#needActions().ask(id, request);
  }

  #answerWith(event: NewEvent): void {
    this.#timers.cancel(event.operationId);
    this.#execution.record(event);
  }

  #needActions(): Actions {
    this.#actions ??= this.#createActions();
    return this.#actions;
  }

  #createActions(): Actions {
    const host = this.#host;
    return new Actions({
      execution: this.#execution,
      draft: this.#draft,
      now: () => host.clock.now(),
      hasMessages: (channel) => host.hasMessages(channel),
      traced: (request) => this.#owner.facts?.traced(request) ?? request,
      openWait: (id, waitFor, deadline) => this.#openWait(id, waitFor, deadline),
      answer: (id, waitFor) => {
        const event = this.#mailbox.answerTo(id, waitFor, host.clock.now());
        if (event) this.#answerWith(event);
        return event !== undefined;
      },
      callOff: (id) => this.#timers.cancel(id),
    });
  }
}
