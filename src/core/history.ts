/** What an operation is; an id that is asked for under another kind than recorded is a non-determinism. */
export type OperationKind = "activity" | "timer" | "value";

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

/** Everything that a history can record. */
export type HistoryEvent =
  | ActivityCompleted
  | ActivityFailed
  | AttemptFailed
  | TimerStarted
  | TimerFired
  | ValueRecorded;

/** The events that answer an operation; the others accompany it. */
export type Completion = ActivityCompleted | ActivityFailed | TimerFired;

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
};

/** The kind of operation that the event belongs to. */
export function operationKindOf(event: HistoryEvent): OperationKind {
  return OPERATION_KIND[event.kind];
}

/** Whether the event answers its operation. */
export function isCompletion(event: HistoryEvent): event is Completion {
  return event.kind === "activity_completed" || event.kind === "activity_failed" || event.kind === "timer_fired";
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
