import type { Advance, Create, NewInstance, Subscription } from "../core/commit.ts";
import type { HistoryEvent, MessageAttributes, WaitFor } from "../core/history.ts";
import { transition } from "../core/status.ts";
import type { HistoryRow } from "./statements/history.ts";

/** Milliseconds by which one point of priority puts an instance before others. */
export const PRIORITY_STEP = 1_000;

type NewRow = Omit<NewInstance, "createdAt"> & { wakeAt: number | null; epoch: number; at: number };

/** The row of a new instance: its owner's already, or due. */
export function newRow({ createdAt: at, ...columns }: NewInstance): NewRow {
  const owned = columns.workerId !== null;
  return { ...columns, at, wakeAt: owned ? null : at - columns.priority * PRIORITY_STEP, epoch: owned ? 1 : 0 };
}

type SubscriptionRow = Record<"instanceId" | "type" | "key", string>;

/** What the instance hears of from now on. */
export function subscriptionRows(change: Create | Advance): SubscriptionRow[] {
  const instanceId = change.type === "create" ? change.instance.id : change.instanceId;
  return (change.subscriptions ?? []).map((subscription) => subscriptionRow(instanceId, subscription));
}

/** An empty key stands for any. */
export function subscriptionRow(instanceId: string, { type, key }: Subscription): SubscriptionRow {
  return { instanceId, type, key: key ?? "" };
}

interface PatchRow {
  readonly id: string;
  readonly epoch: number;
  readonly event: string;
  /** `null` to leave it. */
  readonly status: string | null;
  readonly output: string | null;
  readonly error: string | null;
  readonly compensationErrors: string | null;
  readonly wakeAt: number | null;
  readonly signals: number | null;
  readonly at: number;
  readonly knowsOfCancel: number;
  readonly [column: string]: string | number | null;
}

/** How an advance changes its instance's row: one row, or none when only history grows. */
export function patchRow(advance: Advance): PatchRow[] {
  const { instanceId: id, epoch, patch, isCompensating = false } = advance;
  if (!patch) return [];
  const { event, at } = patch;
  const status = event === "progress" ? null : (transition(isCompensating ? "compensating" : "running", event) ?? null);
  const isSuspended = event === "suspend";
  return [
    {
      id,
      epoch,
      event,
      status,
      output: event === "complete" ? patch.output : null,
      error: "error" in patch ? patch.error : null,
      compensationErrors: "compensationErrors" in patch ? patch.compensationErrors : null,
      wakeAt: isSuspended ? patch.wakeAt : null,
      signals: isSuspended ? patch.signals : null,
      at,
      knowsOfCancel: advance.knowsOfCancel ? 1 : 0,
    },
  ];
}

type EventRow = Record<"instanceId" | "kind" | "operationId", string> & {
  seq: number;
  at: number;
  data: string | null;
};

/** The row of an event. */
export function eventRow(instanceId: string, event: HistoryEvent): EventRow {
  const { seq, kind, operationId, at } = event;
  return { instanceId, seq, kind, operationId, data: dataOf(event), at };
}

/** What a history row's `data` holds: encoded text for values, a small JSON object for the rest. */
function dataOf(event: HistoryEvent): string | null {
  switch (event.kind) {
    case "activity_completed":
      return event.result;
    case "value_recorded":
      return event.value;
    case "patch_recorded":
      return JSON.stringify({ patch: event.patch });
    case "timer_started":
      return JSON.stringify({ fireAt: event.fireAt });
    case "timer_fired":
      return null;
    case "activity_failed":
      return JSON.stringify({ activity: event.activity, attempts: event.attempts, error: JSON.parse(event.error) });
    case "wait_started":
      return JSON.stringify({ waitFor: event.waitFor, deadline: event.deadline });
    case "wait_timed_out":
      return JSON.stringify({ waitFor: event.waitFor });
    case "child_ended": {
      const { childId, workflow, ending } = event;
      return JSON.stringify({ childId, workflow, ending: JSON.parse(ending) });
    }
    case "message_received":
      return JSON.stringify({ attributes: event.attributes, data: JSON.parse(event.data) });
    case "action_completed":
      return event.result;
    case "action_failed":
    case "wait_refused":
      return event.error;
    case "compensation_added":
    case "compensation_completed":
      return JSON.stringify({ compensation: event.compensation });
    case "cancel_requested":
      return JSON.stringify({ reason: event.reason });
    case "rollback_started":
      return JSON.stringify({ outcome: event.outcome, error: event.error === null ? null : JSON.parse(event.error) });
    case "rollback_retried":
      return null;
    case "retried": {
      const { withdrawn, error } = event;
      return JSON.stringify({ withdrawn, error: error === null ? null : JSON.parse(error) });
    }
    case "compensation_failed": {
      const { compensation, attempts, error } = event;
      return JSON.stringify({ compensation, attempts, error: JSON.parse(error) });
    }
    case "attempt_failed":
      return JSON.stringify({
        attempt: event.attempt,
        startedAt: event.startedAt,
        retryAt: event.retryAt,
        error: JSON.parse(event.error),
      });
  }
}

/** The event of a row. Rows are only written by `dataOf`, so their form is relied upon. */
export function eventOf(row: HistoryRow): HistoryEvent {
  const base = { seq: row.seq, at: row.at, operationId: row.operation_id };
  const kind = row.kind as HistoryEvent["kind"];
  switch (kind) {
    case "activity_completed":
      return { ...base, kind, result: textOf(row) };
    case "value_recorded":
      return { ...base, kind, value: textOf(row) };
    case "patch_recorded":
      return { ...base, kind, ...(JSON.parse(textOf(row)) as { patch: string }) };
    case "timer_fired":
      return { ...base, kind };
    case "timer_started":
      return { ...base, kind, ...(JSON.parse(textOf(row)) as { fireAt: number }) };
    case "activity_failed": {
      const data = JSON.parse(textOf(row)) as { activity: string; attempts: number; error: unknown };
      return { ...base, kind, ...data, error: JSON.stringify(data.error) };
    }
    case "attempt_failed": {
      const data = JSON.parse(textOf(row)) as { attempt: number; startedAt: number; retryAt: number; error: unknown };
      return { ...base, kind, ...data, error: JSON.stringify(data.error) };
    }
    case "wait_started":
      return { ...base, kind, ...(JSON.parse(textOf(row)) as { waitFor: WaitFor; deadline: number | null }) };
    case "wait_timed_out":
      return { ...base, kind, ...(JSON.parse(textOf(row)) as { waitFor: WaitFor }) };
    case "child_ended": {
      const data = JSON.parse(textOf(row)) as { childId: string; workflow: string; ending: unknown };
      return { ...base, kind, ...data, ending: JSON.stringify(data.ending) };
    }
    case "message_received": {
      const { attributes, data } = JSON.parse(textOf(row)) as { attributes: MessageAttributes; data: unknown };
      return { ...base, kind, attributes, data: JSON.stringify(data) };
    }
    case "action_completed":
      return { ...base, kind, result: textOf(row) };
    case "action_failed":
    case "wait_refused":
      return { ...base, kind, error: textOf(row) };
    case "compensation_added":
    case "compensation_completed":
      return { ...base, kind, ...(JSON.parse(textOf(row)) as { compensation: string }) };
    case "cancel_requested":
      return { ...base, kind, ...(JSON.parse(textOf(row)) as { reason: string | null }) };
    case "rollback_started": {
      const { outcome, error } = JSON.parse(textOf(row)) as { outcome: "failed" | "cancelled"; error: unknown };
      return { ...base, kind, outcome, error: error === null ? null : JSON.stringify(error) };
    }
    case "rollback_retried":
      return { ...base, kind };
    case "retried": {
      const { withdrawn, error } = JSON.parse(textOf(row)) as { withdrawn: string[]; error: unknown };
      return { ...base, kind, withdrawn, error: error === null ? null : JSON.stringify(error) };
    }
    case "compensation_failed": {
      const data = JSON.parse(textOf(row)) as { compensation: string; attempts: number; error: unknown };
      return { ...base, kind, ...data, error: JSON.stringify(data.error) };
    }
    default:
      throw new Error(`History of ${row.instance_id} holds an event of an unknown kind: ${String(kind)}.`);
  }
}

function textOf(row: HistoryRow): string {
  if (row.data === null) throw new Error(`History of ${row.instance_id} lacks the data of event ${row.seq}.`);
  return row.data;
}
