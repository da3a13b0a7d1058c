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
  readonly version: string | null;
  readonly continued_from: string | null;
  readonly parent_id: string | null;
  readonly root_id: string;
  readonly cancel_requested_at: number | null;
  readonly cancel_reason: string | null;
  readonly compensation_errors: string | null;
  readonly worker_id: string | null;
  readonly created_at: number;
  readonly updated_at: number;
  readonly completed_at: number | null;
}

/** Of a whole row. */
export const COLUMNS: Sql<never> = sql`
  id, workflow, status, input, output, error, tags, priority, version, continued_from, parent_id, root_id,
  cancel_requested_at, cancel_reason, compensation_errors, worker_id, created_at, updated_at, completed_at`;

type NewRow =
  | "id"
  | "workflow"
  | "status"
  | "input"
  | "tags"
  | "priority"
  | "version"
  | "traceContext"
  | "wakeAt"
  | "workerId"
  | "epoch"
  | "at";

export const insertInstance: Statement<NewRow> = statement(
  "instances.insert",
  (d) => sql`
  insert ${d.insertIgnore.before} into romancy_instances
    (id, workflow, status, input, root_id, tags, priority, version, trace_context, wake_at, worker_id, epoch,
     created_at, updated_at)
  values
    (${$("id")}, ${$("workflow")}, ${$("status")}, ${$("input")}, ${$("id")}, ${$("tags")}, ${$int("priority")},
     ${$("version")}, ${$("traceContext")}, ${$int("wakeAt")}, ${$("workerId")}, ${$int("epoch")}, ${$int("at")}, ${$int("at")})
  ${d.insertIgnore.after}`,
);

export const instanceById: Statement<"id", InstanceRow> = statement(
  "instances.byId",
  () => sql`
  select ${COLUMNS} from romancy_instances where id = ${$("id")}`,
);

type DueParams = "workflows" | "now" | "limit" | "leastRecoveries" | "mostRecoveries";

/** Due, nobody's, of a workflow that the worker knows (invariant 1). */
const due = (d: Dialect): Sql<DueParams> => sql`
  select id, workflow, input, epoch + 1 as epoch, signals, recoveries, cancel_requested_at, cancel_reason, parent_id,
    trace_context, created_at
  from romancy_instances
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
  returning id, workflow, input, epoch, signals, recoveries, cancel_requested_at, cancel_reason, parent_id,
    trace_context, created_at`,
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
  readonly cancel_requested_at: number | null;
  readonly cancel_reason: string | null;
  readonly parent_id: string | null;
  readonly trace_context: string | null;
  readonly created_at: number;
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

/** Nobody has asked for a cancel, or the committer knows of it. */
const isHeeded = sql`(cancel_requested_at is null or ${$int("knowsOfCancel")} = 1)`;

type EndParams = "id" | "epoch" | "status" | "output" | "error" | "compensationErrors" | "at" | "knowsOfCancel";

/** What a compensated instance had returned stays. */
export const finishInstance: Statement<EndParams> = statement(
  "instances.finish",
  () => sql`
  update romancy_instances
  set status = ${$("status")}, output = coalesce(${$("output")}, output), error = ${$("error")},
      compensation_errors = ${$("compensationErrors")}, worker_id = null, wake_at = null,
      updated_at = ${$int("at")}, completed_at = ${$int("at")}, recoveries = 0
  where id = ${$("id")} and epoch = ${$int("epoch")} and completed_at is null and ${isHeeded}`,
);

/** Keeps the instance for the committer until the transaction ends; no row when it is somebody else's, or has ended. */
export const holdInstance: Statement<"id" | "epoch", HeldRow> = statement(
  "instances.hold",
  (d) => sql`
  select cancel_requested_at from romancy_instances
  where id = ${$("id")} and epoch = ${$int("epoch")} and completed_at is null ${d.lockRow}`,
);

export interface HeldRow {
  readonly cancel_requested_at: number | null;
}

/** The same for several, in the order of their ids, so that two who keep the same ones do not wait for each other. */
export const holdInstances: Statement<"ids", { readonly id: string }> = statement(
  "instances.holdAll",
  (d) => sql`select id from romancy_instances where ${d.isOneOf("id", $list("ids"))} order by id ${d.lockRow}`,
);

/** Without a wake-up: fixed code, or a person, makes it go on. */
export const blockInstance: Statement<"id" | "epoch" | "error" | "at" | "knowsOfCancel"> = statement(
  "instances.block",
  () => sql`
  update romancy_instances
  set status = 'blocked', error = ${$("error")}, worker_id = null, wake_at = null, updated_at = ${$int("at")},
      recoveries = 0
  where id = ${$("id")} and epoch = ${$int("epoch")} and completed_at is null and ${isHeeded}`,
);

/** A delivery that the run has not seen makes it due at once, so that no wake-up is lost (invariant 4). */
export const suspendInstance: Statement<"id" | "epoch" | "status" | "error" | "signals" | "wakeAt" | "at"> = statement(
  "instances.suspend",
  () => sql`
  update romancy_instances
  set status = ${$("status")}, worker_id = null, updated_at = ${$int("at")}, error = ${$("error")}, recoveries = 0,
      wake_at = case when signals <> ${$int("signals")} then ${$int("at")} else ${$int("wakeAt")} end
  where id = ${$("id")} and epoch = ${$int("epoch")} and completed_at is null`,
);

/** It has come further since its last owner died. */
export const noteProgress: Statement<"id" | "epoch" | "error" | "at"> = statement(
  "instances.progress",
  () => sql`
  update romancy_instances set recoveries = 0, error = ${$("error")}, updated_at = ${$int("at")}
  where id = ${$("id")} and epoch = ${$int("epoch")} and completed_at is null`,
);

/** What it has done is undone from here on. */
export const compensateInstance: Statement<"id" | "epoch" | "status" | "error" | "at" | "knowsOfCancel"> = statement(
  "instances.compensate",
  () => sql`
  update romancy_instances
  set status = ${$("status")}, recoveries = 0, error = ${$("error")}, updated_at = ${$int("at")}
  where id = ${$("id")} and epoch = ${$int("epoch")} and completed_at is null and ${isHeeded}`,
);

/** It counts as a delivery, so that no wake-up is lost (invariant 4), and wakes what is blocked, too. */
export const requestCancel: Statement<"id" | "reason" | "at"> = statement(
  "instances.requestCancel",
  () => sql`
  update romancy_instances
  set cancel_requested_at = ${$int("at")}, cancel_reason = ${$("reason")}, signals = signals + 1,
      wake_at = case when wake_at <= ${$int("at")} then wake_at else ${$int("at")} end
  where id = ${$("id")} and completed_at is null and cancel_requested_at is null and status <> 'compensating'`,
);

/**
 * One that has failed, or is blocked, goes on; its row is the committer's until the transaction ends. The new epoch keeps
 * out what an activity of its last run may still write (invariant 2).
 */
export const retryInstance: Statement<"id" | "status" | "error" | "wakeAt" | "at"> = statement(
  "instances.retry",
  () => sql`
  update romancy_instances
  set status = ${$("status")}, error = ${$("error")}, completed_at = null, wake_at = ${$int("wakeAt")}, recoveries = 0,
      updated_at = ${$int("at")}, epoch = epoch + 1
  where id = ${$("id")}`,
);

/** An instance that has ended with failed compensations is taken up again, for these alone. */
export const reopenInstance: Statement<"id" | "status" | "at"> = statement(
  "instances.reopen",
  () => sql`
  update romancy_instances
  set status = ${$("status")}, completed_at = null, compensation_errors = null, wake_at = ${$int("at")},
      updated_at = ${$int("at")}, epoch = epoch + 1
  where id = ${$("id")} and status in ('failed', 'cancelled') and compensation_errors is not null`,
);

export type FreeParams = "now" | "died" | "maxRecoveries" | "quarantine";

/** Nobody died: instances are handed back, or were never begun. */
export const HANDED_BACK = { died: 0, maxRecoveries: 0, quarantine: null } as const;

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

/** Of such owners as `freeOrphans` is about. */
const IS_ORPHAN = sql`worker_id is not null and worker_id not in (select id from romancy_workers)`;

export interface PoisonRow {
  readonly id: string;
  readonly workflow: string;
  readonly trace_context: string | null;
}

/** Those that `freeOrphans` is about to block, locked. */
export const orphansToBlock: Statement<"maxRecoveries", PoisonRow> = statement(
  "instances.orphansToBlock",
  (d) => sql`
  select id, workflow, trace_context from romancy_instances
  where ${IS_ORPHAN} and recoveries + 1 >= ${$int("maxRecoveries")} ${d.lockRow}`,
);

/** The same for owners that have no row as workers. */
export const freeOrphans: Statement<FreeParams> = statement(
  "instances.freeOrphans",
  () => sql`${free()} where ${IS_ORPHAN}`,
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

const END_COLUMNS = sql`id, workflow, status, output, error, cancel_reason, compensation_errors`;

/** How the instances stand: those there are. */
export const standingsOf: Statement<"ids", EndRow> = statement(
  "instances.standings",
  (d) => sql`
  select ${END_COLUMNS} from romancy_instances where ${d.isOneOf("id", $list("ids"))}`,
);

/** Which of the instances have ended, and how. */
export const endedAmong: Statement<"ids", EndRow> = statement(
  "instances.endedAmong",
  (d) => sql`
  select ${END_COLUMNS} from romancy_instances
  where ${d.isOneOf("id", $list("ids"))} and completed_at is not null`,
);

export interface EndRow {
  readonly id: string;
  readonly workflow: string;
  readonly status: string;
  readonly output: string | null;
  readonly error: string | null;
  readonly cancel_reason: string | null;
  readonly compensation_errors: string | null;
}

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
