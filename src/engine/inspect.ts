/** What can be seen of instances: rows and histories in users' terms. */

import { decodeEnding, failuresOf } from "../core/child.ts";
import { decode } from "../core/codec.ts";
import { InstanceNotFoundError, ValidationError } from "../core/errors.ts";
import type { ChannelMode } from "../core/history.ts";
import { type HistoryEvent, indexHistory, isCompletion, type WaitFor } from "../core/history.ts";
import { INSTANCE_STATUSES, type InstanceStatus } from "../core/status.ts";
import type { InstanceRecord, Views } from "../store/store.ts";
import type { InstanceDescription, InstanceSummary, WaitDescription } from "../workflow/handle.ts";

/** Which instances to list. */
export interface InstanceFilter {
  readonly workflow?: string;
  readonly status?: InstanceStatus;
  /** At most so many, 1 to 1,000. Default 50. */
  readonly limit?: number;
  /** `nextPageToken` of the page before. */
  readonly pageToken?: string;
}

/** A page of a listing, newest first. */
export interface InstancePage {
  readonly instances: readonly InstanceSummary[];
  /** For the next page; absent on the last one. */
  readonly nextPageToken?: string;
  readonly hasMore: boolean;
}

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
  );

/** What a wait is for. */
export type WaitTarget =
  | { readonly kind: "event"; readonly types: readonly string[]; readonly key: string | undefined }
  | { readonly kind: "channel"; readonly channel: string; readonly mode: ChannelMode }
  | { readonly kind: "child"; readonly childId: string; readonly workflow: string };

/** @throws InstanceNotFoundError */
export async function describeInstance(views: Views, id: string): Promise<InstanceDescription> {
  const record = await views.instance(id);
  if (!record) throw new InstanceNotFoundError(id);
  return {
    ...summarise(record),
    input: decode(record.input) as unknown[],
    ...(record.output !== null && { output: decode(record.output) }),
    ...(record.error !== null && { error: decode(record.error) }),
    compensationErrors: failuresOf(record.compensationErrors, decode),
    waitingFor: record.status === "waiting" || record.status === "compensating" ? waitsOf(await views.history(id)) : [],
  };
}

/** @throws InstanceNotFoundError */
export async function readHistory(views: Views, id: string): Promise<HistoryEntry[]> {
  const history = await views.history(id);
  if (history.length === 0 && !(await views.instance(id))) throw new InstanceNotFoundError(id);
  return history.map(entryOf);
}

/** @throws ValidationError */
export async function listInstances(views: Views, filter: InstanceFilter): Promise<InstancePage> {
  const { limit = 50, status, workflow, pageToken } = filter;
  if (!Number.isInteger(limit) || limit < 1 || limit > 1_000) {
    throw new ValidationError(`limit is ${String(limit)}; it must be a whole number from 1 to 1,000.`);
  }
  if (status !== undefined && !INSTANCE_STATUSES.includes(status)) {
    throw new ValidationError(`status is ${status}; it must be one of ${INSTANCE_STATUSES.join(", ")}.`);
  }
  const after = pageToken === undefined ? null : readToken(pageToken);
  // One more than asked for tells whether there is a next page.
  const records = await views.list({ workflow: workflow ?? null, status: status ?? null, after, limit: limit + 1 });
  const page = records.slice(0, limit);
  const last = page.at(-1);
  const hasMore = records.length > limit;
  return {
    instances: page.map(summarise),
    hasMore,
    ...(hasMore && last && { nextPageToken: `${last.createdAt}:${last.id}` }),
  };
}

function readToken(token: string): { createdAt: number; id: string } {
  const [, createdAt, id] = /^(\d+):(.+)$/s.exec(token) ?? [];
  if (createdAt === undefined || id === undefined) {
    throw new ValidationError("pageToken is not one that a listing gave. Pass `nextPageToken` as it is.");
  }
  return { createdAt: Number(createdAt), id };
}

function summarise(record: InstanceRecord): InstanceSummary {
  return {
    id: record.id,
    workflow: record.workflow,
    status: record.status,
    tags: record.tags === null ? {} : (JSON.parse(record.tags) as Record<string, string>),
    priority: record.priority,
    continuedFrom: record.continuedFrom ?? undefined,
    parentId: record.parentId ?? undefined,
    rootId: record.rootId,
    cancelRequestedAt: record.cancelRequestedAt === null ? undefined : new Date(record.cancelRequestedAt),
    cancelReason: record.cancelReason ?? undefined,
    workerId: record.workerId ?? undefined,
    createdAt: new Date(record.createdAt),
    updatedAt: new Date(record.updatedAt),
    completedAt: record.completedAt === null ? undefined : new Date(record.completedAt),
  };
}

function waitsOf(history: readonly HistoryEvent[]): WaitDescription[] {
  const waits: WaitDescription[] = [];
  for (const [operationId, { events }] of indexHistory(history)) {
    const last = events.at(-1);
    if (events.some(isCompletion)) continue;
    if (last?.kind === "wait_started") {
      waits.push({ operationId, until: dateOf(last.deadline), ...targetOf(last.waitFor) });
    }
    if (last?.kind === "timer_started") waits.push({ kind: "timer", operationId, until: new Date(last.fireAt) });
    if (last?.kind === "attempt_failed") waits.push({ kind: "retry", operationId, until: new Date(last.retryAt) });
  }
  const time = ({ until }: WaitDescription): number => until?.getTime() ?? Number.POSITIVE_INFINITY;
  return waits.toSorted((a, b) => time(a) - time(b));
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
      return { ...base, kind: event.kind, waitFor: targetOf(event.waitFor), deadline: dateOf(deadline) };
    }
    case "message_received":
      return { ...base, kind: event.kind, message: { ...event.attributes, data: decode(event.data) } };
    case "child_ended": {
      const { childId, workflow } = event;
      const { status, output, error } = decodeEnding(event.ending);
      return { ...base, kind: event.kind, childId, workflow, status, result: decoded(output), error: decoded(error) };
    }
    case "wait_timed_out":
      return { ...base, kind: event.kind, waitFor: targetOf(event.waitFor) };
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
  }
}

function decoded(text: string | null): unknown {
  return text === null ? undefined : decode(text);
}

function targetOf(waitFor: WaitFor): WaitTarget {
  if (waitFor.kind === "event") return { ...waitFor, key: waitFor.key ?? undefined };
  if (waitFor.kind === "channel") return waitFor;
  const { kind, childId, workflow } = waitFor;
  return { kind, childId, workflow };
}

function dateOf(time: number | null): Date | undefined {
  return time === null ? undefined : new Date(time);
}
