import type { Dialect } from "../dialect.ts";
import { PRIORITY_STEP } from "../rows.ts";
import { $, $int, $list, type Sql, sql } from "../sql.ts";
import { type Statement, statement } from "../statement.ts";

/** A row of `romancy_instances`, without what a statement leaves out. */
export interface InstanceRow {
  readonly id: string;
  readonly workflow: string;
  readonly status: string;
  readonly input: string;
  readonly output: string | null;
  readonly error: string | null;
  readonly tags: string | null;
  readonly priority: number;
  readonly continued_from: string | null;
  readonly worker_id: string | null;
  readonly created_at: number;
  readonly updated_at: number;
  readonly completed_at: number | null;
}

type NewRow = "id" | "workflow" | "status" | "input" | "tags" | "priority" | "wakeAt" | "workerId" | "epoch" | "at";

export const insertInstance: Statement<NewRow> = statement(
  "instances.insert",
  (d) => sql`
  insert ${d.insertIgnore.before} into romancy_instances
    (id, workflow, status, input, root_id, tags, priority, wake_at, worker_id, epoch, created_at, updated_at)
  values
    (${$("id")}, ${$("workflow")}, ${$("status")}, ${$("input")}, ${$("id")}, ${$("tags")}, ${$int("priority")},
     ${$int("wakeAt")}, ${$("workerId")}, ${$int("epoch")}, ${$int("at")}, ${$int("at")})
  ${d.insertIgnore.after}`,
);

export const instanceById: Statement<"id", InstanceRow> = statement(
  "instances.byId",
  () => sql`
  select id, workflow, status, input, output, error, tags, priority, continued_from, worker_id, created_at, updated_at, completed_at
  from romancy_instances where id = ${$("id")}`,
);

type DueParams = "workflows" | "now" | "limit" | "leastRecoveries" | "mostRecoveries";

/** Due, nobody's, of a workflow that the worker knows (invariant 1). */
const due = (d: Dialect): Sql<DueParams> => sql`
  select id, workflow, input, epoch + 1 as epoch, signals, recoveries from romancy_instances
  where worker_id is null and wake_at <= ${$int("now")} and ${d.isOneOf("workflow", $list("workflows"))}
    and recoveries between ${$int("leastRecoveries")} and ${$int("mostRecoveries")}
  order by wake_at limit ${$int("limit")} ${d.skipLocked}`;

/** Makes instances the worker's, each with a new epoch (invariant 2). */
const take = sql`
  update romancy_instances
  set worker_id = ${$("workerId")}, epoch = epoch + 1, wake_at = null, updated_at = ${$int("now")},
      status = case status when 'compensating' then status else 'running' end`;

/** Makes what is due the worker's. */
export const claimDue: Statement<"workerId" | DueParams, ClaimRow> = statement(
  "instances.claim",
  (d) => sql`${take}
  where id in (select id from (${due(d)}) as due)
  returning id, workflow, input, epoch, signals, recoveries`,
);

/** The same in two statements, where an update gives no rows: what is due, locked, as it will be; then `claimThese`. */
export const lockDue: Statement<DueParams, ClaimRow> = statement("instances.lockDue", due);

export const claimThese: Statement<"workerId" | "ids" | "now"> = statement(
  "instances.claimThese",
  (d) => sql`${take}
  where ${d.isOneOf("id", $list("ids"))}`,
);

export interface ClaimRow {
  readonly id: string;
  readonly workflow: string;
  readonly input: string;
  readonly epoch: number;
  readonly signals: number;
  readonly recoveries: number;
}

/** When the next instance without an owner is due; it may be long past. */
export const nextDue: Statement<"workflows" | "mostRecoveries", { wake_at: number | null }> = statement(
  "instances.nextDue",
  (d) => sql`
  select wake_at from romancy_instances
  where worker_id is null and wake_at is not null and ${d.isOneOf("workflow", $list("workflows"))}
    and recoveries <= ${$int("mostRecoveries")}
  order by wake_at limit 1`,
);

export const finishInstance: Statement<"id" | "epoch" | "status" | "output" | "error" | "at"> = statement(
  "instances.finish",
  () => sql`
  update romancy_instances
  set status = ${$("status")}, output = ${$("output")}, error = ${$("error")}, worker_id = null, wake_at = null,
      updated_at = ${$int("at")}, completed_at = ${$int("at")}, recoveries = 0
  where id = ${$("id")} and epoch = ${$int("epoch")} and completed_at is null`,
);

/** Keeps the instance for the committer until the transaction ends; no row when it is somebody else's, or has ended. */
export const holdInstance: Statement<"id" | "epoch", { readonly id: string }> = statement(
  "instances.hold",
  (d) => sql`
  select id from romancy_instances
  where id = ${$("id")} and epoch = ${$int("epoch")} and completed_at is null ${d.lockRow}`,
);

/** The same for several, in the order of their ids, so that two who keep the same ones do not wait for each other. */
export const holdInstances: Statement<"ids", { readonly id: string }> = statement(
  "instances.holdAll",
  (d) => sql`select id from romancy_instances where ${d.isOneOf("id", $list("ids"))} order by id ${d.lockRow}`,
);

/** Without a wake-up: fixed code, or a person, makes it go on. */
export const blockInstance: Statement<"id" | "epoch" | "error" | "at"> = statement(
  "instances.block",
  () => sql`
  update romancy_instances
  set status = 'blocked', error = ${$("error")}, worker_id = null, wake_at = null, updated_at = ${$int("at")},
      recoveries = 0
  where id = ${$("id")} and epoch = ${$int("epoch")} and completed_at is null`,
);

/** A delivery that the run has not seen makes it due at once, so that no wake-up is lost (invariant 4). */
export const suspendInstance: Statement<"id" | "epoch" | "signals" | "wakeAt" | "at"> = statement(
  "instances.suspend",
  () => sql`
  update romancy_instances
  set status = 'waiting', worker_id = null, updated_at = ${$int("at")}, error = null, recoveries = 0,
      wake_at = case when signals <> ${$int("signals")} then ${$int("at")} else ${$int("wakeAt")} end
  where id = ${$("id")} and epoch = ${$int("epoch")} and completed_at is null`,
);

/** It has come further since its last owner died. */
export const noteProgress: Statement<"id" | "epoch" | "at"> = statement(
  "instances.progress",
  () => sql`
  update romancy_instances set recoveries = 0, error = null, updated_at = ${$int("at")}
  where id = ${$("id")} and epoch = ${$int("epoch")} and completed_at is null`,
);

export type FreeParams = "now" | "died" | "maxRecoveries" | "quarantine";

/**
 * What makes instances nobody's and due (invariants 1 and 3), or blocks those whose owners died too often. A new epoch
 * keeps the owner out, should it live (invariant 2). `died` is 1 when the owner did not hand them back. The columns that
 * are read come before their own assignments: MySQL assigns from left to right.
 */
const free = (): Sql<FreeParams> => {
  const isPoison = sql`${$int("died")} = 1 and recoveries + 1 >= ${$int("maxRecoveries")}`;
  return sql`
  update romancy_instances
  set status = case when ${isPoison} then 'blocked' else status end,
      error = case when ${isPoison} then ${$("quarantine")} else error end,
      wake_at = case when ${isPoison} then null else ${$int("now")} - priority * ${String(PRIORITY_STEP)} end,
      worker_id = null, epoch = epoch + 1, recoveries = recoveries + ${$int("died")}`;
};

export const freeInstancesOf: Statement<FreeParams | "workerId"> = statement(
  "instances.freeOf",
  () => sql`${free()} where worker_id = ${$("workerId")}`,
);

/** The same for owners that have no row as workers. */
export const freeOrphans: Statement<FreeParams> = statement(
  "instances.freeOrphans",
  () => sql`${free()} where worker_id is not null and worker_id not in (select id from romancy_workers)`,
);

/** The same for one instance, if it still is the worker's. */
export const freeInstance: Statement<FreeParams | "workerId" | "id" | "epoch"> = statement(
  "instances.free",
  () => sql`${free()} where id = ${$("id")} and worker_id = ${$("workerId")} and epoch = ${$int("epoch")}`,
);

/** What the worker owns, by the database's account. */
export const ownedBy: Statement<"workerId", { readonly id: string; readonly epoch: number }> = statement(
  "instances.ownedBy",
  () => sql`select id, epoch from romancy_instances where worker_id = ${$("workerId")}`,
);

/** Blocked instances are tried once more, since fixed code may have been deployed; not those that kill their owners. */
export const unblockInstances: Statement<"workflows" | "now" | "maxRecoveries"> = statement(
  "instances.unblock",
  (d) => sql`
  update romancy_instances set wake_at = ${$int("now")}
  where ${d.isBlocked} and wake_at is null and recoveries < ${$int("maxRecoveries")}
    and ${d.isOneOf("workflow", $list("workflows"))}`,
);

/** How the instances stand: those there are. */
export const standingsOf: Statement<"ids", EndRow> = statement(
  "instances.standings",
  (d) => sql`
  select id, workflow, status, output, error from romancy_instances where ${d.isOneOf("id", $list("ids"))}`,
);

/** Which of the instances have ended, and how. */
export const endedAmong: Statement<"ids", EndRow> = statement(
  "instances.endedAmong",
  (d) => sql`
  select id, workflow, status, output, error from romancy_instances
  where ${d.isOneOf("id", $list("ids"))} and completed_at is not null`,
);

export interface EndRow {
  readonly id: string;
  readonly workflow: string;
  readonly status: string;
  readonly output: string | null;
  readonly error: string | null;
}

type ListFilter = "workflow" | "status" | "createdBefore" | "beforeId" | "limit";

/** Newest first, from behind the cursor `(createdBefore, beforeId)`. */
export const listInstances: Statement<ListFilter, InstanceRow> = statement(
  "instances.list",
  () => sql`
  select id, workflow, status, input, output, error, tags, priority, continued_from, worker_id, created_at, updated_at, completed_at
  from romancy_instances
  where created_at <= ${$int("createdBefore")}
    and (created_at < ${$int("createdBefore")} or id < ${$("beforeId")})
    and (${$("workflow")} is null or workflow = ${$("workflow")})
    and (${$("status")} is null or status = ${$("status")})
  order by created_at desc, id desc limit ${$int("limit")}`,
);

/** What tells whether a commit whose answer was lost took place. It waits for one that is still under way. */
export const evidenceOf: Statement<"id", EvidenceRow> = statement(
  "instances.evidence",
  (d) => sql`
  select workflow, input, worker_id, epoch, created_at, completed_at from romancy_instances
  where id = ${$("id")} ${d.lockRow}`,
);

export interface EvidenceRow {
  readonly workflow: string;
  readonly input: string;
  readonly worker_id: string | null;
  readonly epoch: number;
  readonly created_at: number;
  readonly completed_at: number | null;
}
