/**
 * The life of an instance.
 *
 *     pending -> running <-> waiting
 *                running  -> completed | failed | recurred
 *                running  -> blocked -> running      (fixed code was deployed)
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
export type StatusEvent = "claim" | "suspend" | "block" | "complete" | "fail" | "recur" | "release";

const TRANSITIONS: Readonly<Record<InstanceStatus, Partial<Record<StatusEvent, InstanceStatus>>>> = {
  pending: { claim: "running" },
  running: {
    suspend: "waiting",
    block: "blocked",
    complete: "completed",
    fail: "failed",
    recur: "recurred",
    release: "running",
    // A dead worker's instances are `running` when the next worker claims them.
    claim: "running",
  },
  waiting: { claim: "running" },
  blocked: { claim: "running" },
  compensating: { claim: "compensating", fail: "failed" },
  completed: {},
  failed: {},
  cancelled: {},
  recurred: {},
};

/** The status after the event, or `undefined` when the event cannot happen in that status. */
export function transition(status: InstanceStatus, event: StatusEvent): InstanceStatus | undefined {
  return TRANSITIONS[status][event];
}

/** Whether nothing can happen to the instance any more. */
export function isFinished(status: InstanceStatus): boolean {
  return Object.keys(TRANSITIONS[status]).length === 0;
}

/** All statuses, for checks of input. */
export const INSTANCE_STATUSES: readonly InstanceStatus[] = Object.keys(TRANSITIONS) as InstanceStatus[];
