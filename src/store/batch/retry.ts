/** An operator has an instance go on that has failed, or is blocked. */
import { decode } from "../../core/codec.ts";
import type { ChangeResult, Retry } from "../../core/commit.ts";
import type { HistoryEvent } from "../../core/history.ts";
import { awaitedChildren, findCulprit, type RetryObstacle } from "../../core/retrying.ts";
import { type InstanceStatus, isFinished, transition } from "../../core/status.ts";
import { forEachRow } from "../pages.ts";
import { eventOf, PRIORITY_STEP } from "../rows.ts";
import type { Queries } from "../runner.ts";
import type { ChildRow } from "../statements/children.ts";
import { appendRetried, type HistoryRow, historyPage } from "../statements/history.ts";
import { retryInstance } from "../statements/instances.ts";
import { lockCurrent, tellOfEnd } from "./children.ts";

/** What is to be written of one instance. */
interface Step {
  readonly row: ChildRow;
  /** The operations whose failures are taken back. */
  readonly withdrawn: readonly string[];
}

type Plan =
  /** All of these; children come first. */
  | { readonly type: "possible"; readonly steps: readonly Step[] }
  | { readonly type: "impossible"; readonly obstacle: RetryObstacle };

const NOTHING: Plan = { type: "possible", steps: [] };

/**
 * Of the instance, or of the one that it went on as. With one that has failed because of a child, the child is retried.
 * All the rows are locked before anything is written, and judged as they are then: of two retries at once the second
 * one finds what the first has made of them.
 */
export async function retry(queries: Queries, { instanceId, at }: Retry): Promise<ChangeResult> {
  const row = await lockCurrent(queries, instanceId);
  if (!row) return { type: "undeliverable", instanceId, status: undefined };
  const status = row.status as InstanceStatus;
  const parentId = toldParentOf(row);
  const plan: Plan =
    parentId === undefined
      ? await planFor(queries, row)
      : { type: "impossible", obstacle: { type: "parent", parentId } };
  if (plan.type === "impossible") return { type: "not_retryable", instanceId: row.id, status, obstacle: plan.obstacle };
  for (const step of plan.steps) await write(queries, step, at);
  for (const { row: parent } of plan.steps) await tellOfChildren(queries, parent, at);
  return { type: "delivered", receivers: plan.steps.length };
}

async function write(queries: Queries, { row, withdrawn }: Step, at: number): Promise<void> {
  const status = transition(row.status as InstanceStatus, "retry") as string;
  const wakeAt = at - row.priority * PRIORITY_STEP;
  // What blocks it is to be seen until somebody has taken it up.
  const error = row.status === "blocked" ? row.error : null;
  await queries.run(retryInstance, { id: row.id, status, error, wakeAt, at });
  const data = JSON.stringify({ withdrawn, error: row.error === null ? null : JSON.parse(row.error) });
  await queries.run(appendRetried, { instanceId: row.id, data, at });
}

/** What has ended while the instance did not go on, so that it was not told of it. */
async function tellOfChildren(queries: Queries, { id, status }: ChildRow, at: number): Promise<void> {
  if (status !== "failed") return;
  const children = awaitedChildren(await historyOf(queries, id));
  for (const [index, childId] of children.entries()) {
    const child = await lockCurrent(queries, childId);
    // Its inbox was emptied when it failed: the fingerprint need only differ from the others of this moment.
    const fingerprint = `retried ${at} ${index}`;
    if (child && isFinished(child.status as InstanceStatus)) await tellOfEnd(queries, child.id, fingerprint, at);
  }
}

/** The parent that has waited for it and was told that it failed: it has acted on that, or has failed of it. */
function toldParentOf({ status, parent_id: parentId, awaited }: ChildRow): string | undefined {
  return status === "failed" && parentId !== null && awaited > 0 ? parentId : undefined;
}

async function planFor(queries: Queries, row: ChildRow): Promise<Plan> {
  const status = row.status as InstanceStatus;
  if (transition(status, "retry") === undefined) return { type: "impossible", obstacle: { type: "status" } };
  const asItIs: Plan = { type: "possible", steps: [{ row, withdrawn: [] }] };
  if (status === "blocked") return asItIs;
  const history = await historyOf(queries, row.id);
  if (row.compensation_errors !== null || history.some(({ kind }) => kind === "rollback_started")) {
    return { type: "impossible", obstacle: { type: "undone" } };
  }
  const culprit = findCulprit(row.error === null ? undefined : decode(row.error), history);
  if (!culprit) return asItIs;
  const child = culprit.childId === undefined ? NOTHING : await planForChild(queries, culprit.childId);
  if (child.type === "possible") {
    return { type: "possible", steps: [...child.steps, { row, withdrawn: culprit.operationIds }] };
  }
  // The code made something of its own of that: it may do so once more, or something else by now.
  return culprit.isThrown ? child : asItIs;
}

/** The child of which its parent has failed. One that goes on, or has completed meanwhile, is as it should be. */
async function planForChild(queries: Queries, childId: string): Promise<Plan> {
  const row = await lockCurrent(queries, childId);
  const status = row?.status as InstanceStatus | undefined;
  if (!row || status === undefined || status === "completed" || !isFinished(status)) return NOTHING;
  const plan = await planFor(queries, row);
  if (plan.type === "possible") return plan;
  return { type: "impossible", obstacle: { type: "child", childId: row.id, status, obstacle: plan.obstacle } };
}

async function historyOf(queries: Queries, id: string): Promise<HistoryEvent[]> {
  const events: HistoryEvent[] = [];
  await forEachRow<HistoryRow>(
    (last, limit) => queries.all(historyPage, { ids: [id], afterId: id, afterSeq: last?.seq ?? 0, limit }),
    (row) => void events.push(eventOf(row)),
  );
  return events;
}
