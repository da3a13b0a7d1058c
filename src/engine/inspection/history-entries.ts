/** A history in users' terms. */
import { decodeEnding } from "../../core/child.ts";
import { decode } from "../../core/codec.ts";
import { InstanceNotFoundError } from "../../core/errors.ts";
import type { HistoryEvent } from "../../core/history.ts";
import type { Views } from "../../store/store.ts";
import { checkText } from "../../workflow/activity.ts";
import { type WaitTarget, waitTargetOf } from "../../workflow/waits.ts";

interface EntryBase {
  readonly seq: number;
  readonly at: Date;
  readonly operationId: string;
}

/** One event of a history, values decoded. */
export type HistoryEntry = EntryBase &
  (
    | { readonly kind: "activity_completed"; readonly result: unknown }
    | {
        readonly kind: "activity_failed";
        readonly activity: string;
        readonly attempts: number;
        readonly error: unknown;
      }
    | { readonly kind: "attempt_failed"; readonly attempt: number; readonly retryAt: Date; readonly error: unknown }
    | { readonly kind: "timer_started"; readonly fireAt: Date }
    | { readonly kind: "timer_fired" }
    | { readonly kind: "value_recorded"; readonly value: unknown }
    | { readonly kind: "patch_recorded"; readonly patch: string }
    | { readonly kind: "wait_started"; readonly waitFor: WaitTarget; readonly deadline: Date | undefined }
    | { readonly kind: "message_received"; readonly message: Readonly<Record<string, unknown>> }
    | { readonly kind: "wait_timed_out"; readonly waitFor: WaitTarget }
    | { readonly kind: "wait_refused" | "action_failed"; readonly error: unknown }
    | {
        readonly kind: "child_ended";
        readonly childId: string;
        readonly workflow: string;
        readonly status: string;
        /** What it returned, when it has completed. */
        readonly result: unknown;
        /** Why it has not. */
        readonly error: unknown;
      }
    | { readonly kind: "action_completed"; readonly result: unknown }
    | { readonly kind: "compensation_added" | "compensation_completed"; readonly compensation: string }
    | {
        readonly kind: "compensation_failed";
        readonly compensation: string;
        readonly attempts: number;
        readonly error: unknown;
      }
    | { readonly kind: "cancel_requested"; readonly reason: string | undefined }
    | { readonly kind: "rollback_started"; readonly outcome: "failed" | "cancelled"; readonly error: unknown }
    | { readonly kind: "rollback_retried" }
    | {
        readonly kind: "retried";
        /** The operations whose failures were taken back. */
        readonly withdrawn: readonly string[];
        /** What the instance had failed of, or was blocked by. */
        readonly error: unknown;
      }
  );

/** @throws InstanceNotFoundError, ValidationError */
export async function readHistory(views: Views, id: string): Promise<HistoryEntry[]> {
  checkText("instance", id);
  const history = await views.history(id);
  if (history.length === 0 && !(await views.instance(id))) throw new InstanceNotFoundError(id);
  return history.map(entryOf);
}

function entryOf(event: HistoryEvent): HistoryEntry {
  const base = { seq: event.seq, at: new Date(event.at), operationId: event.operationId };
  switch (event.kind) {
    case "activity_completed":
      return { ...base, kind: event.kind, result: decode(event.result) };
    case "activity_failed": {
      const { activity, attempts } = event;
      return { ...base, kind: event.kind, activity, attempts, error: decode(event.error) };
    }
    case "attempt_failed": {
      const { attempt, retryAt } = event;
      return { ...base, kind: event.kind, attempt, retryAt: new Date(retryAt), error: decode(event.error) };
    }
    case "timer_started":
      return { ...base, kind: event.kind, fireAt: new Date(event.fireAt) };
    case "timer_fired":
      return { ...base, kind: event.kind };
    case "value_recorded":
      return { ...base, kind: event.kind, value: decode(event.value) };
    case "patch_recorded":
      return { ...base, kind: event.kind, patch: event.patch };
    case "wait_started": {
      const { deadline } = event;
      return { ...base, kind: event.kind, waitFor: waitTargetOf(event.waitFor), deadline: dateOf(deadline) };
    }
    case "message_received":
      return { ...base, kind: event.kind, message: { ...event.attributes, data: decode(event.data) } };
    case "child_ended": {
      const { childId, workflow } = event;
      const { status, output, error } = decodeEnding(event.ending);
      return { ...base, kind: event.kind, childId, workflow, status, result: decoded(output), error: decoded(error) };
    }
    case "wait_timed_out":
      return { ...base, kind: event.kind, waitFor: waitTargetOf(event.waitFor) };
    case "action_completed":
      return { ...base, kind: event.kind, result: decode(event.result) };
    case "wait_refused":
    case "action_failed":
      return { ...base, kind: event.kind, error: decode(event.error) };
    case "compensation_added":
    case "compensation_completed":
      return { ...base, kind: event.kind, compensation: event.compensation };
    case "compensation_failed": {
      const { compensation, attempts, error } = event;
      return { ...base, kind: event.kind, compensation, attempts, error: decode(error) };
    }
    case "cancel_requested":
      return { ...base, kind: event.kind, reason: event.reason ?? undefined };
    case "rollback_started": {
      const error = event.error === null ? undefined : decode(event.error);
      return { ...base, kind: event.kind, outcome: event.outcome, error };
    }
    case "rollback_retried":
      return { ...base, kind: event.kind };
    case "retried":
      return { ...base, kind: event.kind, withdrawn: event.withdrawn, error: decoded(event.error) };
  }
}

function decoded(text: string | null): unknown {
  return text === null ? undefined : decode(text);
}

export function dateOf(time: number | null): Date | undefined {
  return time === null ? undefined : new Date(time);
}
