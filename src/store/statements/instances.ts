import { $, sql } from "../sql.ts";
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
  readonly worker_id: string | null;
  readonly epoch: number;
  readonly signals: number;
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
    (${$("id")}, ${$("workflow")}, ${$("status")}, ${$("input")}, ${$("id")}, ${$("tags")}, ${$("priority")},
     ${$("wakeAt")}, ${$("workerId")}, ${$("epoch")}, ${$("at")}, ${$("at")})
  ${d.insertIgnore.after}`,
);

export const instanceById: Statement<"id", InstanceRow> = statement(
  "instances.byId",
  () => sql`
  select id, workflow, status, input, output, error, tags, priority, worker_id, epoch, signals,
         created_at, updated_at, completed_at
  from romancy_instances where id = ${$("id")}`,
);

/**
 * Instances that are due and nobody's become the worker's (invariant 1), each with a new epoch (invariant 2).
 * `limit` is the worker's free capacity; workflows it does not know are left for workers that do.
 */
export const claimDue: Statement<"workerId" | "workflows" | "now" | "limit", ClaimRow> = statement(
  "instances.claim",
  (d) => sql`
  update romancy_instances
  set worker_id = ${$("workerId")}, epoch = epoch + 1, wake_at = null, updated_at = ${$("now")},
      status = case status when 'compensating' then status else 'running' end
  where id in (
    select id from romancy_instances
    where worker_id is null and wake_at <= ${$("now")} and ${d.isOneOf("workflow", $("workflows"))}
    order by wake_at limit ${$("limit")} ${d.skipLocked})
  returning id, workflow, input, epoch, signals`,
);

export interface ClaimRow {
  readonly id: string;
  readonly workflow: string;
  readonly input: string;
  readonly epoch: number;
  readonly signals: number;
}

/** When the next instance without an owner is due; it may be long past. */
export const nextDue: Statement<"workflows", { wake_at: number | null }> = statement(
  "instances.nextDue",
  (d) => sql`
  select wake_at from romancy_instances
  where worker_id is null and wake_at is not null and ${d.isOneOf("workflow", $("workflows"))}
  order by wake_at limit 1`,
);

export const finishInstance: Statement<"id" | "epoch" | "status" | "output" | "error" | "at"> = statement(
  "instances.finish",
  () => sql`
  update romancy_instances
  set status = ${$("status")}, output = ${$("output")}, error = ${$("error")}, worker_id = null, wake_at = null,
      updated_at = ${$("at")}, completed_at = ${$("at")}
  where id = ${$("id")} and epoch = ${$("epoch")} and completed_at is null`,
);

/** Without a wake-up: fixed code, or a person, makes it go on. */
export const blockInstance: Statement<"id" | "epoch" | "error" | "at"> = statement(
  "instances.block",
  () => sql`
  update romancy_instances
  set status = 'blocked', error = ${$("error")}, worker_id = null, wake_at = null, updated_at = ${$("at")}
  where id = ${$("id")} and epoch = ${$("epoch")} and completed_at is null`,
);

/** A delivery that the run has not seen makes it due at once, so that no wake-up is lost (invariant 4). */
export const suspendInstance: Statement<"id" | "epoch" | "signals" | "wakeAt" | "at"> = statement(
  "instances.suspend",
  () => sql`
  update romancy_instances
  set status = 'waiting', worker_id = null, updated_at = ${$("at")}, error = null,
      wake_at = case when signals <> ${$("signals")} then ${$("at")} else ${$("wakeAt")} end
  where id = ${$("id")} and epoch = ${$("epoch")} and completed_at is null`,
);

/** Instances of a worker that is gone become nobody's and due (invariants 1 and 3). */
export const freeInstancesOf: Statement<"workerId" | "now"> = statement(
  "instances.freeOf",
  () => sql`
  update romancy_instances set worker_id = null, wake_at = ${$("now")} - priority * 1000
  where worker_id = ${$("workerId")}`,
);

/** The same for owners that have no row as workers. */
export const freeOrphans: Statement<"now"> = statement(
  "instances.freeOrphans",
  () => sql`
  update romancy_instances set worker_id = null, wake_at = ${$("now")} - priority * 1000
  where worker_id is not null and worker_id not in (select id from romancy_workers)`,
);

/** Blocked instances are tried once more, since fixed code may have been deployed. */
export const unblockInstances: Statement<"workflows" | "now"> = statement(
  "instances.unblock",
  (d) => sql`
  update romancy_instances set wake_at = ${$("now")}
  where status = 'blocked' and wake_at is null and ${d.isOneOf("workflow", $("workflows"))}`,
);

/** Which of the instances have ended, and how. */
export const endedAmong: Statement<"ids", EndRow> = statement(
  "instances.endedAmong",
  (d) => sql`
  select id, workflow, status, output, error from romancy_instances
  where ${d.isOneOf("id", $("ids"))} and completed_at is not null`,
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
  select id, workflow, status, input, output, error, tags, priority, worker_id, epoch, signals,
         created_at, updated_at, completed_at
  from romancy_instances
  where (created_at, id) < (${$("createdBefore")}, ${$("beforeId")})
    and (${$("workflow")} is null or workflow = ${$("workflow")})
    and (${$("status")} is null or status = ${$("status")})
  order by created_at desc, id desc limit ${$("limit")}`,
);
