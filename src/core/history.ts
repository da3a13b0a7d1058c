/** What an operation is; an id that is asked for under another kind than recorded is a non-determinism. */
export type OperationKind =
  | "activity"
  | "timer"
  | "value"
  | "wait"
  | "action"
  | "compensation"
  | "cancel"
  | "rollback"
  | "retry"
  | "patch";

/**
 * How a channel gives its messages: `broadcast` to all subscribers, `competing` each to one of them, `direct` to the one
 * instance that they are sent to.
 */
export type ChannelMode = "broadcast" | "competing" | "direct";

/** What a wait is for. */
export type WaitFor = WaitForEvent | WaitForMessage | WaitForChild;

/** An event of one of these types, of this key if there is one. */
interface WaitForEvent {
  readonly kind: "event";
  readonly types: readonly string[];
  /** The event's `subject`; `null` for any. */
  readonly key: string | null;
}

/** A message of a channel that the instance has subscribed to in this mode. */
interface WaitForMessage {
  readonly kind: "channel";
  readonly channel: string;
  readonly mode: ChannelMode;
}

/** The end of a child. */
interface WaitForChild {
  readonly kind: "child";
  readonly childId: string;
  readonly workflow: string;
  /** How often its parent has begun to wait for it, by then: an end that was told of before is not this one. */
  readonly turn: number;
}

interface EventBase {
  /** Position in the instance's history: 1, 2, ... Gaps are possible, order is what counts. */
  readonly seq: number;
  /** Epoch milliseconds of the record. */
  readonly at: number;
  readonly operationId: string;
}

/** An activity returned; `result` is encoded text (see `codec.ts`). */
interface ActivityCompleted extends EventBase {
  readonly kind: "activity_completed";
  readonly result: string;
}

/** An activity failed for good. */
interface ActivityFailed extends EventBase {
  readonly kind: "activity_failed";
  readonly activity: string;
  readonly attempts: number;
  /** Encoded text of what was thrown. */
  readonly error: string;
}

/** One attempt failed and another will be made at `retryAt`. */
interface AttemptFailed extends EventBase {
  readonly kind: "attempt_failed";
  readonly attempt: number;
  /** Epoch milliseconds at which the first attempt began; limits such as `maxDuration` count from it. */
  readonly startedAt: number;
  readonly retryAt: number;
  /** Encoded text of what was thrown. */
  readonly error: string;
}

/** A sleep began; its deadline is fixed here, once. */
interface TimerStarted extends EventBase {
  readonly kind: "timer_started";
  readonly fireAt: number;
}

/** A sleep ended. */
interface TimerFired extends EventBase {
  readonly kind: "timer_fired";
}

/** `now`, `random` or `uuid` gave this value; encoded text. */
interface ValueRecorded extends EventBase {
  readonly kind: "value_recorded";
  readonly value: string;
}

/** The code that was deployed with this patch has come by here. */
interface PatchRecorded extends EventBase {
  readonly kind: "patch_recorded";
  readonly patch: string;
}

/** A wait for a message began; its deadline is fixed here, once. */
interface WaitStarted extends EventBase {
  readonly kind: "wait_started";
  readonly waitFor: WaitFor;
  /** Epoch milliseconds; `null` for none. */
  readonly deadline: number | null;
}

/** A wait was answered. */
interface MessageReceived extends EventBase {
  readonly kind: "message_received";
  /** All but the data: type or channel, id, who sent it. */
  readonly attributes: MessageAttributes;
  /** Encoded text. */
  readonly data: string;
}

/** What comes with a message, plain JSON. */
export type MessageAttributes = Readonly<Record<string, unknown>>;

/** A child that was waited for has ended. */
interface ChildEnded extends EventBase {
  readonly kind: "child_ended";
  readonly childId: string;
  readonly workflow: string;
  /** See `encodeEnding`. */
  readonly ending: string;
}

/** A wait ended without an answer. */
interface WaitTimedOut extends EventBase {
  readonly kind: "wait_timed_out";
  readonly waitFor: WaitFor;
}

/** There was nothing to wait for, for want of a subscription. */
interface WaitRefused extends EventBase {
  readonly kind: "wait_refused";
  /** Encoded text of what is thrown. */
  readonly error: string;
}

/** Something was done in the database itself, within the commit that recorded it. */
interface ActionCompleted extends EventBase {
  readonly kind: "action_completed";
  /** Encoded text. */
  readonly result: string;
}

/** It could not be done. */
interface ActionFailed extends EventBase {
  readonly kind: "action_failed";
  /** Encoded text of what is thrown. */
  readonly error: string;
}

/** `ctx.addCompensation` was called. */
interface CompensationAdded extends EventBase {
  readonly kind: "compensation_added";
  readonly compensation: string;
}

/** A request to cancel the instance was seen: what was open by then is open no more. */
interface CancelRequested extends EventBase {
  readonly kind: "cancel_requested";
  /** `null` when none was given. */
  readonly reason: string | null;
}

/** The code has ended, and what it has done is about to be undone. Nothing of the code is run from here on. */
interface RollbackStarted extends EventBase {
  readonly kind: "rollback_started";
  /** How the instance will end. */
  readonly outcome: "failed" | "cancelled";
  /** Encoded text of what was thrown, if anything. */
  readonly error: string | null;
}

/** The instance had ended, and those of its compensations that had failed are run once more. */
interface RollbackRetried extends EventBase {
  readonly kind: "rollback_retried";
}

/** An operator had it go on: it had failed, or was blocked. See `heedRetries`. */
interface Retried extends EventBase {
  readonly kind: "retried";
  /** The operations whose failures are taken back. */
  readonly withdrawn: readonly string[];
  /** Encoded text of what the instance had failed of, or was blocked by. */
  readonly error: string | null;
}

/** A compensation has succeeded. */
interface CompensationCompleted extends EventBase {
  readonly kind: "compensation_completed";
  readonly compensation: string;
}

/** A compensation failed for good. */
interface CompensationFailed extends EventBase {
  readonly kind: "compensation_failed";
  readonly compensation: string;
  readonly attempts: number;
  /** Encoded text of what was thrown. */
  readonly error: string;
}

/** Everything that a history can record. */
export type HistoryEvent =
  | ActivityCompleted
  | ActivityFailed
  | AttemptFailed
  | TimerStarted
  | TimerFired
  | ValueRecorded
  | PatchRecorded
  | WaitStarted
  | MessageReceived
  | ChildEnded
  | WaitTimedOut
  | WaitRefused
  | ActionCompleted
  | ActionFailed
  | CompensationAdded
  | CancelRequested
  | RollbackStarted
  | RollbackRetried
  | Retried
  | CompensationCompleted
  | CompensationFailed;

/** The events that answer an operation; the others accompany it. */
export type Completion =
  | ActivityCompleted
  | ActivityFailed
  | TimerFired
  | MessageReceived
  | ChildEnded
  | WaitTimedOut
  | WaitRefused
  | ActionCompleted
  | ActionFailed
  | CompensationCompleted
  | CompensationFailed;

type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** An event before it has its place in the history. */
export type NewEvent = Without<HistoryEvent, "seq">;

const OPERATION_KIND: Readonly<Record<HistoryEvent["kind"], OperationKind>> = {
  activity_completed: "activity",
  activity_failed: "activity",
  attempt_failed: "activity",
  timer_started: "timer",
  timer_fired: "timer",
  value_recorded: "value",
  patch_recorded: "patch",
  wait_started: "wait",
  message_received: "wait",
  child_ended: "wait",
  wait_timed_out: "wait",
  wait_refused: "wait",
  action_completed: "action",
  action_failed: "action",
  compensation_added: "compensation",
  cancel_requested: "cancel",
  rollback_started: "rollback",
  rollback_retried: "rollback",
  retried: "retry",
  compensation_completed: "activity",
  compensation_failed: "activity",
};

const COMPLETIONS: ReadonlySet<HistoryEvent["kind"]> = new Set<Completion["kind"]>([
  "activity_completed",
  "activity_failed",
  "timer_fired",
  "message_received",
  "child_ended",
  "wait_timed_out",
  "wait_refused",
  "action_completed",
  "action_failed",
  "compensation_completed",
  "compensation_failed",
]);

/** The kind of operation that the event belongs to. */
export function operationKindOf(event: HistoryEvent): OperationKind {
  return OPERATION_KIND[event.kind];
}

/** Whether there are events of this kind. */
export function isEventKind(kind: unknown): kind is HistoryEvent["kind"] {
  return typeof kind === "string" && Object.hasOwn(OPERATION_KIND, kind);
}

/** Whether the event answers its operation. */
export function isCompletion(event: HistoryEvent): event is Completion {
  return COMPLETIONS.has(event.kind);
}

/** What a history records of one operation. */
export interface RecordedOperation {
  readonly kind: OperationKind;
  /** All its events, in recorded order. */
  readonly events: readonly [HistoryEvent, ...HistoryEvent[]];
}

/** The history by operation id. */
export function indexHistory(history: readonly HistoryEvent[]): Map<string, RecordedOperation> {
  const index = new Map<string, { kind: OperationKind; events: [HistoryEvent, ...HistoryEvent[]] }>();
  for (const event of history) {
    const operation = index.get(event.operationId);
    if (operation) operation.events.push(event);
    else index.set(event.operationId, { kind: operationKindOf(event), events: [event] });
  }
  return index;
}
