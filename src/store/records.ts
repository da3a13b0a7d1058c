/** Rows of instances as the engine sees them. */
import type { InstanceStatus } from "../core/status.ts";
import type { ClaimRow, EndRow, InstanceRow } from "./statements/instances.ts";
import type { SummaryRow } from "./statements/listing.ts";
import type { CancelRequest, Claim, Ending, InstanceRecord, SummaryRecord } from "./store.ts";

interface CancelRow {
  readonly cancel_requested_at: number | null;
  readonly cancel_reason: string | null;
}

/** The request to cancel the instance, if there is one. */
export function cancelOf({ cancel_requested_at: at, cancel_reason: reason }: CancelRow): CancelRequest | undefined {
  return at === null ? undefined : { reason };
}

export function claimOf(row: ClaimRow): Claim {
  const { id, workflow, input, epoch, signals, recoveries } = row;
  const parentId = row.parent_id ?? undefined;
  const traceContext = row.trace_context ?? undefined;
  const cancel = cancelOf(row);
  return { id, workflow, input, epoch, signals, recoveries, parentId, traceContext, createdAt: row.created_at, cancel };
}

export function endingOf(row: EndRow): Ending {
  const { id, workflow, output, error, cancel_reason: cancelReason, compensation_errors: compensationErrors } = row;
  return { id, workflow, status: row.status as InstanceStatus, output, error, cancelReason, compensationErrors };
}

export function recordOf(row: InstanceRow): InstanceRecord {
  const { input, output, error, compensation_errors: compensationErrors } = row;
  return { ...summaryOf(row), input, output, error, compensationErrors };
}

export function summaryOf(row: SummaryRow): SummaryRecord {
  return {
    id: row.id,
    workflow: row.workflow,
    status: row.status as InstanceStatus,
    tags: row.tags,
    priority: row.priority,
    version: row.version,
    continuedFrom: row.continued_from,
    parentId: row.parent_id,
    rootId: row.root_id,
    cancelRequestedAt: row.cancel_requested_at,
    cancelReason: row.cancel_reason,
    workerId: row.worker_id,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    completedAt: row.completed_at,
  };
}
