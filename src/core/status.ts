/**
 * The life of an instance.
 *
 *     pending -> running <-> waiting
 *                running  -> completed | failed | cancelled | recurred
 *                running  -> blocked -> running          (fixed code was deployed)
 *                running  -> compensating -> failed | cancelled
 *     failed              -> pending                     (an operator retries it; it had undone nothing)
 *     failed, cancelled   -> compensating                (compensations that had failed are tried again)
 *     completed           -> compensating                (of a child: its parent is being undone)
 *
 * Every change of status goes through `transition`, which is total: a move that is not listed is `undefined`, and the
 * caller treats it as a bug, never as a status.
 */
export type InstanceStatus =
  | "pending"
  | "running"
  | "waiting"
  | "compensating"
  | "blocked"
  | "completed"
  | "failed"
  | "cancelled"
  | "recurred";

/** What can happen to an instance. */
export type StatusEvent =
  | "claim"
  | "suspend"
  | "block"
  | "complete"
  | "fail"
  | "cancel"
  | "recur"
  | "compensate"
  | "retry"
  | "release";

const TRANSITIONS: Readonly<Record<InstanceStatus, Partial<Record<StatusEvent, InstanceStatus>>>> = {
  pending: { claim: "running" },
  running: {
    suspend: "waiting",
    block: "blocked",
    complete: "completed",
    fail: "failed",
    cancel: "cancelled",
    recur: "recurred",
    compensate: "compensating",
    release: "running",
    // A dead worker's instances are `running` when the next worker claims them.
    claim: "running",
  },
  waiting: { claim: "running" },
  // Whoever claims it next makes it `running`.
  blocked: { claim: "running", retry: "blocked" },
  compensating: {
    claim: "compensating",
    compensate: "compensating",
    suspend: "compensating",
    block: "blocked",
    fail: "failed",
    cancel: "cancelled",
    release: "compensating",
  },
  completed: { compensate: "compensating" },
  failed: { compensate: "compensating", retry: "pending" },
  cancelled: { compensate: "compensating" },
  recurred: {},
};

/** The status after the event, or `undefined` when the event cannot happen in that status. */
export function transition(status: InstanceStatus, event: StatusEvent): InstanceStatus | undefined {
  return TRANSITIONS[status][event];
}

const FINISHED: ReadonlySet<InstanceStatus> = new Set(["completed", "failed", "cancelled", "recurred"]);

/** Whether the instance has ended: nothing happens to it any more by itself. */
export function isFinished(status: InstanceStatus): boolean {
  return FINISHED.has(status);
}

/** All statuses, for checks of input. */
export const INSTANCE_STATUSES: readonly InstanceStatus[] = Object.keys(TRANSITIONS) as InstanceStatus[];
