/** Children: started, awaited and undone within their parent's commits; their ends told within their own. */
import type { Action, ActionRequest } from "../../core/action.ts";
import { encodeEnding, type InstanceEnding } from "../../core/child.ts";
import { encodeThrown } from "../../core/codec.ts";
import type { Advance } from "../../core/commit.ts";
import { InstanceConflictError, InstanceNotFoundError } from "../../core/errors.ts";
import type { NewEvent } from "../../core/history.ts";
import { type InstanceStatus, isFinished, transition } from "../../core/status.ts";
import { PRIORITY_STEP } from "../rows.ts";
import type { Queries } from "../runner.ts";
import { lastOfChain } from "../statements/chains.ts";
import {
  appendRollback,
  type ChildRow,
  firstOfChain,
  insertChild,
  kinOf,
  lockInstance,
  markAwaited,
  reopenChild,
} from "../statements/children.ts";
import { type InstanceRow, instanceById } from "../statements/instances.ts";
import { subscribe } from "../statements/messages.ts";
import type { Answer } from "./answer.ts";
import { deliver } from "./mail.ts";
import { cancel } from "./requests.ts";

type Request<Type extends ActionRequest["type"]> = Extract<ActionRequest, { type: Type }>;

/** Starts a child; one that is there already, and is the same, is taken for it. */
export async function startChild(
  queries: Queries,
  parentId: string,
  action: Action,
  { child, awaits }: Request<"start_child">,
): Promise<Answer> {
  const { id, workflow, input, tags, priority, version, traceContext, isDetached, subscriptions } = child;
  const { at } = action;
  const [parent] = await queries.all(instanceById, { id: parentId });
  const created = await queries.run(insertChild, {
    id,
    workflow,
    input,
    tags,
    priority,
    version,
    traceContext,
    at,
    parentId,
    rootId: parent?.root_id ?? parentId,
    wakeAt: at - priority * PRIORITY_STEP,
    detached: isDetached ? 1 : 0,
    awaited: awaits ? 1 : 0,
  });
  if (created === 0) {
    const difference = await differenceOf(queries, parentId, child);
    if (difference !== undefined) return refused(action, new InstanceConflictError(id, difference), awaits);
    if (awaits) return awaitChild(queries, action, { type: "await_child", childId: id, workflow, deadline: null });
  }
  for (const { type, key } of subscriptions) await queries.run(subscribe, { instanceId: id, type, key: key ?? "" });
  const event: NewEvent = awaits
    ? waitStarted(action, id, workflow, null, 1)
    : { kind: "action_completed", operationId: action.operationId, at, result: JSON.stringify(id) };
  return { event, receivers: created };
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
  { childId, workflow }: Request<"undo_child">,
): Promise<Answer> {
  const { at } = action;
  const reason = `Its parent ${parentId} is being undone.`;
  const row = await lockCurrent(queries, childId);
  if (!row) return refused(action, new InstanceNotFoundError(childId), true);
  if (row.status === "completed") {
    const status = transition("completed", "compensate") as string;
    await queries.run(reopenChild, { id: row.id, status, reason, at });
    const data = JSON.stringify({ outcome: "cancelled", error: null });
    await queries.run(appendRollback, { instanceId: row.id, data, at });
    return { event: waitStarted(action, childId, workflow, null, row.awaited + 1), receivers: 1 };
  }
  if (isFinished(row.status as InstanceStatus)) return ended(action, childId, row);
  await queries.run(markAwaited, { id: row.id });
  // One that has failed by itself is being undone already.
  if (row.status !== "compensating") await cancel(queries, { type: "cancel", instanceId: row.id, reason, at });
  return { event: waitStarted(action, childId, workflow, null, row.awaited + 1), receivers: 1 };
}

/** Tells the parent of the instance's end, if it waits for it; gives how many were told. */
export async function report(
  queries: Queries,
  { instanceId: id, patch, report: fingerprint = id }: Advance,
): Promise<number> {
  const [kin] = await queries.all(kinOf, { id });
  if (!patch || !kin || kin.parent_id === null || kin.awaited === 0) return 0;
  const [row] = await queries.all(instanceById, { id });
  if (!row) return 0;
  const [first] = await queries.all(firstOfChain, { id });
  const childId = first?.chain_id ?? id;
  const message = {
    type: childId,
    key: null,
    fingerprint,
    attributes: { childId, turn: kin.awaited },
    data: encodeEnding(endingOf(row)),
    at: patch.at,
  };
  const delivered = await deliver(queries, { type: "deliver", instanceId: kin.parent_id, message });
  // A parent that has ended meanwhile does not wait any more.
  return delivered.type === "delivered" ? delivered.receivers : 0;
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

/** What the child has gone on as, kept until the transaction ends. */
async function lockCurrent(queries: Queries, childId: string): Promise<ChildRow | undefined> {
  const [last] = await queries.all(lastOfChain, { id: childId });
  const [row] = await queries.all(lockInstance, { id: last?.instance_id ?? childId });
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

function endingOf(row: InstanceRow): InstanceEnding {
  const { status, output, error, cancel_reason: cancelReason, compensation_errors: compensationErrors } = row;
  return { status, output, error, cancelReason, compensationErrors };
}

function refused({ operationId, at }: Action, error: Error, isWait: boolean): Answer {
  const kind = isWait ? "wait_refused" : "action_failed";
  return { event: { kind, operationId, at, error: encodeThrown(error) }, receivers: 0 };
}
