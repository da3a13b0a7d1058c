/** What can be seen of an instance, in users' terms. */
import { failuresOf } from "../../core/child.ts";
import { decode } from "../../core/codec.ts";
import { InstanceNotFoundError } from "../../core/errors.ts";
import { type HistoryEvent, indexHistory, isCompletion } from "../../core/history.ts";
import { heedRetries } from "../../core/retrying.ts";
import type { SummaryRecord, Views } from "../../store/store.ts";
import { checkText } from "../../workflow/activity.ts";
import type { InstanceDescription, InstanceSummary, WaitDescription } from "../../workflow/handle.ts";
import { waitTargetOf } from "../../workflow/waits.ts";
import { splitHistory } from "../rollback.ts";
import { decodeTags } from "../tags.ts";
import { dateOf } from "./history-entries.ts";

/** @throws InstanceNotFoundError, ValidationError */
export async function describeInstance(views: Views, id: string): Promise<InstanceDescription> {
  checkText("instance", id);
  const record = await views.instance(id);
  if (!record) throw new InstanceNotFoundError(id);
  return {
    ...summarise(record),
    input: decode(record.input) as unknown[],
    ...(record.output !== null && { output: decode(record.output) }),
    ...(record.error !== null && { error: decode(record.error) }),
    compensationErrors: failuresOf(record.compensationErrors, decode),
    waitingFor: waitsIn(record.status) ? waitsOf(await views.history(id)) : [],
  };
}

/** As a listing shows it. */
export function summarise(record: SummaryRecord): InstanceSummary {
  return {
    id: record.id,
    workflow: record.workflow,
    status: record.status,
    tags: decodeTags(record.tags),
    priority: record.priority,
    version: record.version ?? undefined,
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

function waitsIn(status: string): boolean {
  return status === "waiting" || status === "compensating";
}

/** What its code waits for, or, when that is being undone, what its rollback does. */
function waitsOf(history: readonly HistoryEvent[]): WaitDescription[] {
  const waits: WaitDescription[] = [];
  const { code, rollback } = splitHistory(history);
  for (const [operationId, { events }] of indexHistory(rollback?.history ?? heedRetries(code).events)) {
    const last = events.at(-1);
    if (events.some(isCompletion)) continue;
    if (last?.kind === "wait_started") {
      waits.push({ operationId, until: dateOf(last.deadline), ...waitTargetOf(last.waitFor) });
    }
    if (last?.kind === "timer_started") waits.push({ kind: "timer", operationId, until: new Date(last.fireAt) });
    if (last?.kind === "attempt_failed") waits.push({ kind: "retry", operationId, until: new Date(last.retryAt) });
  }
  const time = ({ until }: WaitDescription): number => until?.getTime() ?? Number.POSITIVE_INFINITY;
  return waits.toSorted((a, b) => time(a) - time(b));
}
