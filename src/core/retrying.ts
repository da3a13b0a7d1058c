/**
 * Retries of instances that have failed. A history only grows: a retry is an event of it, which says what it takes back.
 * What is taken back is left out when the history is read, so that every replay, then and later, sees the same.
 */
import { decodeEnding } from "./child.ts";
import { type HistoryEvent, indexHistory, isCompletion } from "./history.ts";
import { ActivityError, WorkflowFailedError } from "./outcome-errors.ts";
import type { InstanceStatus } from "./status.ts";

/** Why an instance cannot be retried. */
export type RetryObstacle =
  /** It has not failed. */
  | { readonly type: "status" }
  /** What it had done was undone, or was to be. */
  | { readonly type: "undone" }
  /** Its parent was told of its failure. */
  | { readonly type: "parent"; readonly parentId: string }
  /** It failed because of a child that cannot be retried. */
  | {
      readonly type: "child";
      readonly childId: string;
      readonly status: InstanceStatus;
      readonly obstacle: RetryObstacle;
    };

/** What an instance has failed of. */
export interface Culprit {
  /** The operations that ended so: the activity, or all waits for the child. */
  readonly operationIds: readonly string[];
  /** Set when it was a child. */
  readonly childId: string | undefined;
  /** Whether it is what the code has thrown, and not what is behind that. */
  readonly isThrown: boolean;
}

/** A history as it is to be replayed. */
export interface HeededHistory {
  readonly events: readonly HistoryEvent[];
  /** The `seq` of events that may have come of a failure that was taken back: the code need not ask for them again. */
  readonly doubtful: ReadonlySet<number>;
}

const NONE: ReadonlySet<number> = new Set();

/**
 * Leaves out what retries have taken back: all that is recorded, by then, of the operations that failed, but for the wait
 * for a child, which is retried too and whose end is still to come.
 */
export function heedRetries(history: readonly HistoryEvent[]): HeededHistory {
  if (!history.some(({ kind }) => kind === "retried")) return { events: history, doubtful: NONE };
  let events: HistoryEvent[] = [];
  const doubtful = new Set<number>();
  for (const event of history) {
    if (event.kind === "retried" && event.withdrawn.length > 0) {
      const withdrawn = new Set(event.withdrawn);
      const failedAt = firstEnd(events, withdrawn) ?? event.seq;
      events = events.filter((earlier) => !withdrawn.has(earlier.operationId) || isWaitForChild(earlier));
      for (const { seq } of events) if (seq > failedAt) doubtful.add(seq);
    }
    events.push(event);
  }
  return { events, doubtful };
}

/** Where the first of the operations ended: the last event of each is how it failed. */
function firstEnd(events: readonly HistoryEvent[], operations: ReadonlySet<string>): number | undefined {
  const ends = new Map<string, number>();
  for (const { operationId, seq } of events) if (operations.has(operationId)) ends.set(operationId, seq);
  return ends.size === 0 ? undefined : Math.min(...ends.values());
}

/** One with a deadline is begun anew, and with it the time. */
function isWaitForChild(event: HistoryEvent): boolean {
  return event.kind === "wait_started" && event.waitFor.kind === "child" && event.deadline === null;
}

/** The children whose ends are still waited for, each once. */
export function awaitedChildren(history: readonly HistoryEvent[]): string[] {
  const operations = [...indexHistory(heedRetries(history).events).values()];
  const children = operations.flatMap(({ events: [first, ...later] }) =>
    first.kind === "wait_started" && first.waitFor.kind === "child" && !later.some(isCompletion)
      ? [first.waitFor.childId]
      : [],
  );
  return [...new Set(children)];
}

/**
 * What the code has failed of: the operation whose failure it did not catch, or because of which (`cause`) it has thrown an
 * error of its own. `undefined` when there is none. Of several errors together (`AggregateError`) none is picked: what the
 * code did between their failures would be forgotten, and done again.
 */
export function findCulprit(thrown: unknown, history: readonly HistoryEvent[]): Culprit | undefined {
  const { events } = heedRetries(history);
  const error = outcomeIn(thrown);
  if (error === undefined) return undefined;
  const isThrown = error === thrown;
  if (error instanceof ActivityError) {
    const isRecorded = events.some(
      ({ kind, operationId }) => kind === "activity_failed" && operationId === error.activityId,
    );
    return isRecorded ? { operationIds: [error.activityId], childId: undefined, isThrown } : undefined;
  }
  const childId = error.instanceId;
  // A child may have been awaited several times.
  const ends = events.filter((event) => event.kind === "child_ended" && event.childId === childId && hasFailed(event));
  return ends.length === 0
    ? undefined
    : { operationIds: ends.map(({ operationId }) => operationId), childId, isThrown };
}

/** How an operation ended that an error tells of. What lies behind such an end is of the activity, or of another instance. */
function outcomeIn(thrown: unknown): ActivityError | WorkflowFailedError | undefined {
  const seen = new Set<unknown>();
  for (let error = thrown; error instanceof Error && !seen.has(error); error = error.cause) {
    if (error instanceof ActivityError || error instanceof WorkflowFailedError) return error;
    seen.add(error);
  }
  return undefined;
}

function hasFailed({ ending }: Extract<HistoryEvent, { kind: "child_ended" }>): boolean {
  return decodeEnding(ending).status !== "completed";
}
