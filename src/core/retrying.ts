/**
 * Retries of instances that have failed. A history only grows: a retry is an event of it, which says what it takes back.
 * What is taken back is left out when the history is read, so that every replay, then and later, sees the same.
 */
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
  readonly operationId: string;
  /** Set when it was a child. */
  readonly childId: string | undefined;
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

/** Where the first of the operations ended: their last events are how they failed. */
function firstEnd(events: readonly HistoryEvent[], operations: ReadonlySet<string>): number | undefined {
  const ends = new Map<string, number>();
  for (const { operationId, seq } of events) if (operations.has(operationId)) ends.set(operationId, seq);
  return ends.size === 0 ? undefined : Math.min(...ends.values());
}

/** One with a deadline is begun anew, and with it the time. */
function isWaitForChild(event: HistoryEvent): boolean {
  return event.kind === "wait_started" && event.waitFor.kind === "child" && event.deadline === null;
}

/** The children whose ends are still waited for. */
export function awaitedChildren(history: readonly HistoryEvent[]): string[] {
  const operations = [...indexHistory(heedRetries(history).events).values()];
  return operations.flatMap(({ events: [first, ...later] }) =>
    first.kind === "wait_started" && first.waitFor.kind === "child" && !later.some(isCompletion)
      ? [first.waitFor.childId]
      : [],
  );
}

/**
 * The operations of which the code has failed, in the order of their failures: that whose failure it did not catch, those
 * that it has thrown an error because of (`cause`), or several together (`errors`). None when it threw something of its own.
 */
export function findCulprits(thrown: unknown, history: readonly HistoryEvent[]): Culprit[] {
  const { events } = heedRetries(history);
  const culprits = new Set<HistoryEvent>();
  for (const error of outcomesIn(thrown)) {
    const failed = events.findLast((event) => isFailure(event, error));
    if (failed) culprits.add(failed);
  }
  return [...culprits]
    .toSorted((a, b) => a.seq - b.seq)
    .map((failed) => ({
      operationId: failed.operationId,
      childId: failed.kind === "child_ended" ? failed.childId : undefined,
    }));
}

/** How operations ended that an error tells of. What lies behind such an end is of the activity, or of another instance. */
function outcomesIn(thrown: unknown, seen: Set<unknown> = new Set()): (ActivityError | WorkflowFailedError)[] {
  if (thrown instanceof ActivityError || thrown instanceof WorkflowFailedError) return [thrown];
  if (!(thrown instanceof Error) || seen.has(thrown)) return [];
  seen.add(thrown);
  const together = thrown instanceof AggregateError ? thrown.errors : [];
  return [thrown.cause, ...together].flatMap((error) => outcomesIn(error, seen));
}

function isFailure(event: HistoryEvent, thrown: ActivityError | WorkflowFailedError): boolean {
  if (thrown instanceof ActivityError)
    return event.kind === "activity_failed" && event.operationId === thrown.activityId;
  return event.kind === "child_ended" && event.childId === thrown.instanceId;
}
