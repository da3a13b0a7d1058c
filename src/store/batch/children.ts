/** Children: started, awaited and undone within their parent's commits; their ends told within their own. */
import type { Action, ActionRequest } from "../../core/action.ts";
import { encodeEnding, type InstanceEnding } from "../../core/child.ts";
import { encodeThrown } from "../../core/codec.ts";
import type { Advance, Deliver, NewInstance } from "../../core/commit.ts";
import { InstanceConflictError, InstanceNotFoundError } from "../../core/errors.ts";
import type { NewEvent } from "../../core/history.ts";
import { type InstanceStatus, isFinished, transition } from "../../core/status.ts";
import { PRIORITY_STEP, subscriptionRow } from "../rows.ts";
import type { Queries } from "../runner.ts";
import { lastOfChain } from "../statements/chains.ts";
import {
  type AwaitedRow,
  appendRollback,
  awaitedEnds,
  type ChildRow,
  insertChild,
  lockInstance,
  markAwaited,
  reopenChild,
} from "../statements/children.ts";
import { type EndRow, type InstanceRow, instanceById } from "../statements/instances.ts";
import { subscribe } from "../statements/messages.ts";
import type { Answer } from "./answer.ts";
import { deliver } from "./mail.ts";
import { cancel, retryCompensations } from "./requests.ts";

type Request<Type extends ActionRequest["type"]> = Extract<ActionRequest, { type: Type }>;

/** Starts a child; one that is there already, and is the same, is taken for it. */
export async function startChild(
  queries: Queries,
  parentId: string,
  action: Action,
  request: Request<"start_child">,
): Promise<Answer> {
  const { child, awaits } = request;
  const { id, workflow, subscriptions } = child;
  const [parent] = await queries.all(instanceById, { id: parentId });
  const row = childRow(parentId, action, request);
  const created = await queries.run(insertChild, { ...row, rootId: parent?.root_id ?? parentId });
  if (created === 0) {
    const difference = await differenceOf(queries, parentId, child);
    if (difference !== undefined) return refused(action, new InstanceConflictError(id, difference), awaits);
    if (awaits) return awaitChild(queries, action, { type: "await_child", childId: id, workflow, deadline: null });
  }
  for (const subscription of subscriptions) await queries.run(subscribe, subscriptionRow(id, subscription));
  return { event: started(action, request), receivers: created };
}

/** Nobody's, and due. */
export function childRow(parentId: string, { at }: Action, { child, awaits }: Request<"start_child">): NewChildRow {
  const { id, workflow, input, tags, priority, version, traceContext, isDetached } = child;
  const wakeAt = at - priority * PRIORITY_STEP;
  const [detached, awaited] = [Number(isDetached), Number(awaits)];
  return { id, workflow, input, tags, priority, version, traceContext, at, parentId, wakeAt, detached, awaited };
}

export type NewChildRow = Omit<NewInstance, "status" | "workerId" | "createdAt"> & {
  readonly at: number;
  readonly parentId: string;
  readonly wakeAt: number;
  /** 1 for yes, 0 for no. */
  readonly detached: number;
  /** How often its end is to be told to its parent. */
  readonly awaited: number;
};

/** What is recorded of a child that has been started. */
export function started(action: Action, { child: { id, workflow }, awaits }: Request<"start_child">): NewEvent {
  if (awaits) return waitStarted(action, id, workflow, null, 1);
  const { operationId, at } = action;
  return { kind: "action_completed", operationId, at, result: JSON.stringify(id) };
}

/** Waits for the end of a child, which may have come already. */
export async function awaitChild(
  queries: Queries,
  action: Action,
  { childId, workflow, deadline }: Request<"await_child">,
): Promise<Answer> {
  const row = await lockCurrent(queries, childId);
  if (!row) return refused(action, new InstanceNotFoundError(childId), true);
  if (isFinished(row.status as InstanceStatus)) return ended(action, childId, row);
  await queries.run(markAwaited, { id: row.id });
  return { event: waitStarted(action, childId, workflow, deadline, row.awaited + 1), receivers: 0 };
}

/** Has what a child has done undone: one that has not ended is cancelled, one that has completed is taken up again. */
export async function undoChild(
  queries: Queries,
  parentId: string,
  action: Action,
  { childId, workflow, again }: Request<"undo_child">,
): Promise<Answer> {
  const { at } = action;
  const reason = `Its parent ${parentId} is being undone.`;
  const row = await lockCurrent(queries, childId);
  if (!row) return refused(action, new InstanceNotFoundError(childId), true);
  const isOver = isFinished(row.status as InstanceStatus);
  if (row.status === "completed") {
    const status = transition("completed", "compensate") as string;
    await queries.run(reopenChild, { id: row.id, status, reason, at });
    const data = JSON.stringify({ outcome: "cancelled", error: null });
    await queries.run(appendRollback, { instanceId: row.id, data, at });
  } else {
    if (isOver && !(again && row.compensation_errors !== null)) return ended(action, childId, row);
    await queries.run(markAwaited, { id: row.id });
    if (isOver) await retryCompensations(queries, { type: "retry_compensations", instanceId: row.id, at });
    // One that has failed by itself is being undone already.
    else if (row.status !== "compensating") await cancel(queries, { type: "cancel", instanceId: row.id, reason, at });
  }
  return { event: waitStarted(action, childId, workflow, null, row.awaited + 1), receivers: 1 };
}

/** Tells the parent of the instance's end, if it waits for it; gives how many were told. */
export async function report(
  queries: Queries,
  { instanceId: id, patch, report: fingerprint = id }: Advance,
): Promise<number> {
  return patch ? tellOfEnd(queries, id, fingerprint, patch.at) : 0;
}

/** Tells the parent of a child's end, if it waits for it; gives how many were told. */
export async function tellOfEnd(queries: Queries, id: string, fingerprint: string, at: number): Promise<number> {
  const [row] = await queries.all(awaitedEnds, { ids: [id] });
  if (!row) return 0;
  const delivered = await deliver(queries, endMessage(row, fingerprint, at));
  // One that has ended meanwhile does not wait any more.
  return delivered.type === "delivered" ? delivered.receivers : 0;
}

/** What the parent is told of the end. */
export function endMessage(row: AwaitedRow, fingerprint: string, at: number): Deliver {
  const { first_id: childId, parent_id: instanceId, awaited: turn } = row;
  const attributes = { childId, turn };
  const message = { type: childId, key: null, fingerprint, attributes, data: encodeEnding(endingOf(row)), at };
  return { type: "deliver", instanceId, message };
}

/** What is there under the child's id is its own only if it was started so by the same parent. */
async function differenceOf(
  queries: Queries,
  parentId: string,
  { id, workflow, input }: Request<"start_child">["child"],
): Promise<string | undefined> {
  const [row] = await queries.all(instanceById, { id });
  if (row?.parent_id !== parentId) return "parent";
  if (row.workflow !== workflow) return `workflow (${row.workflow})`;
  return row.input === input ? undefined : "input";
}

/** What the instance has gone on as, kept until the transaction ends. */
export async function lockCurrent(queries: Queries, id: string): Promise<ChildRow | undefined> {
  const [last] = await queries.all(lastOfChain, { id });
  const [row] = await queries.all(lockInstance, { id: last?.instance_id ?? id });
  return row;
}

function waitStarted(
  { operationId, at }: Action,
  childId: string,
  workflow: string,
  deadline: number | null,
  turn: number,
): NewEvent {
  return { kind: "wait_started", operationId, at, waitFor: { kind: "child", childId, workflow, turn }, deadline };
}

function ended({ operationId, at }: Action, childId: string, row: InstanceRow): Answer {
  const ending = encodeEnding(endingOf(row));
  return { event: { kind: "child_ended", operationId, at, childId, workflow: row.workflow, ending }, receivers: 0 };
}

function endingOf(row: EndRow): InstanceEnding {
  const { status, output, error, cancel_reason: cancelReason, compensation_errors: compensationErrors } = row;
  return { status, output, error, cancelReason, compensationErrors };
}

function refused({ operationId, at }: Action, error: Error, isWait: boolean): Answer {
  const kind = isWait ? "wait_refused" : "action_failed";
  return { event: { kind, operationId, at, error: encodeThrown(error) }, receivers: 0 };
}
