/** Histories as lines that people read and snapshots compare. */
import type { HistoryEntry } from "../index.ts";

/**
 * One line for each event: `charge:1 completed`, `charge:2 attempt 1 failed`, `sleep:1 started`, `wait_event:1 received`,
 * `reserve:1/compensation:1 completed`, ...
 *
 * @example
 * expect(operationsOf(await app.getHistory(id))).toEqual(["reserve:1 completed", "charge:1 completed"]);
 */
export function operationsOf(history: readonly HistoryEntry[]): string[] {
  return history.map((entry) => {
    const happened = happenedIn(entry);
    // Those that have no number: what was asked for and what was begun is the line's first word already.
    return entry.kind === "cancel_requested" || entry.kind === "retried" || entry.kind.startsWith("rollback_")
      ? happened
      : `${entry.operationId} ${happened}`;
  });
}

function happenedIn(entry: HistoryEntry): string {
  switch (entry.kind) {
    case "activity_completed":
    case "action_completed":
    case "compensation_completed":
      return "completed";
    case "activity_failed":
    case "action_failed":
    case "compensation_failed":
      return "failed";
    case "attempt_failed":
      return `attempt ${entry.attempt} failed`;
    case "timer_started":
    case "wait_started":
      return "started";
    case "timer_fired":
      return "fired";
    case "message_received":
      return "received";
    case "wait_timed_out":
      return "timed out";
    case "wait_refused":
      return "refused";
    case "child_ended":
      return entry.status;
    case "value_recorded":
    case "patch_recorded":
      return "recorded";
    case "compensation_added":
      return "added";
    case "cancel_requested":
      return "cancel requested";
    case "rollback_started":
      return `rollback started: ${entry.outcome}`;
    case "rollback_retried":
      return "rollback retried";
    case "retried":
      return entry.withdrawn.length === 0 ? "retried" : `retried: ${entry.withdrawn.join(", ")} tried anew`;
  }
}
