import { createHash } from "node:crypto";
import type { Action, Rejoin } from "../core/action.ts";
import type { Advance, InstancePatch, Read, Subscription } from "../core/commit.ts";
import type { HistoryEvent } from "../core/history.ts";
import type { Claim } from "../store/store.ts";
import type { AnyWorkflow } from "../workflow/workflow.ts";

/** What a run's next commit takes along. */
export class Draft {
  #events: HistoryEvent[] = [];
  #reads: Read[] = [];
  #subscriptions: Subscription[] = [];
  #actions: Action[] = [];
  #rejoins: Rejoin[] = [];
  #hasMail: boolean;
  /** How the instance's row changes. */
  patch: InstancePatch | undefined;
  /** Whether the run knows of a request to cancel the instance. */
  knowsOfCancel = false;
  /** Whether what the code has done is being undone. */
  isCompensating = false;
  /** Whether it has a parent. */
  isChild = false;

  /** @param hasMail see `hearsAlready` */
  constructor(hasMail: boolean) {
    this.#hasMail = hasMail;
  }

  get isEmpty(): boolean {
    return this.#events.length + this.#actions.length + this.#rejoins.length === 0 && this.patch === undefined;
  }

  /** It has been sent something. */
  noteMail(): void {
    this.#hasMail = true;
  }

  /** @param position of the message that the event tells of */
  add(event: HistoryEvent, position: number | undefined): void {
    this.#events.push(event);
    if (position !== undefined) this.#reads.push({ position, at: event.at });
    if (event.kind !== "wait_started" || event.waitFor.kind !== "event") return;
    const { types, key } = event.waitFor;
    this.#hasMail = true;
    for (const type of types) this.#subscriptions.push({ type, key });
  }

  /** Has it done in the same commit. */
  act(action: Action): void {
    // What goes into the outbox leaves nothing behind that ends with the instance.
    this.#hasMail ||= action.request.type !== "emit";
    this.#actions.push(action);
  }

  /** It hears of this, or is a member of it, as before it failed; without a record, for there is one. */
  rejoin(rejoin: Rejoin): void {
    this.#hasMail = true;
    this.#rejoins.push(rejoin);
  }

  /** It does not any more. */
  unjoin(isLeft: (rejoin: Rejoin) => boolean): void {
    this.#rejoins = this.#rejoins.filter((rejoin) => !isLeft(rejoin));
  }

  /** Forgets what happened: only the patch goes. */
  dropEvents(): void {
    // New lists, also for empty ones: those that were there are the last advance's, which must not change any more.
    this.#events = [];
    this.#reads = [];
    this.#subscriptions = [];
    this.#actions = [];
    this.#rejoins = [];
  }

  take(instanceId: string, epoch: number): Advance {
    const { patch, knowsOfCancel, isCompensating, isChild } = this;
    const ends = patch?.event === "complete" || patch?.event === "fail" || patch?.event === "cancel";
    const goesOn = patch === undefined || patch.event === "progress";
    const advance: Advance = {
      type: "advance",
      instanceId,
      epoch,
      events: this.#events,
      patch,
      // What is cleared need not be marked.
      reads: ends ? [] : this.#reads,
      subscriptions: ends ? [] : this.#subscriptions,
      rejoins: ends ? [] : this.#rejoins,
      // One that has ended takes no messages from others.
      actions: goesOn ? this.#actions : this.#actions.filter(({ request }) => request.type !== "take"),
      clears: ends && this.#hasMail,
      knowsOfCancel,
      isCompensating,
      report: ends && isChild ? fingerprintOf(instanceId, epoch) : undefined,
    };
    this.dropEvents();
    this.patch = undefined;
    return advance;
  }
}

/** Whether the instance hears of anything already, or has been sent something. */
export function hearsAlready({ options }: AnyWorkflow, { signals }: Claim, history: readonly HistoryEvent[]): boolean {
  const hasBegun = history.some(({ kind }) => kind === "wait_started" || kind === "action_completed");
  return options.events !== undefined || signals > 0 || hasBegun;
}

/** An instance that is taken up again ends in another epoch. */
function fingerprintOf(id: string, epoch: number): string {
  return createHash("sha256").update(`${epoch} ${id}`).digest("hex");
}
