import { $, $int, $list, sql } from "../sql.ts";
import { type Statement, statement } from "../statement.ts";
import { COLUMNS, type EndRow, type InstanceRow } from "./instances.ts";

type NewChild =
  | "id"
  | "workflow"
  | "input"
  | "tags"
  | "priority"
  | "version"
  | "traceContext"
  | "wakeAt"
  | "at"
  | "parentId"
  | "rootId"
  | "detached"
  | "awaited";

/** Nobody's, and due. */
export const insertChild: Statement<NewChild> = statement(
  "children.insert",
  (d) => sql`
  insert ${d.insertIgnore.before} into romancy_instances
    (id, workflow, status, input, parent_id, root_id, tags, priority, version, trace_context, wake_at, epoch,
     detached, awaited, created_at, updated_at)
  values
    (${$("id")}, ${$("workflow")}, 'pending', ${$("input")}, ${$("parentId")}, ${$("rootId")}, ${$("tags")},
     ${$int("priority")}, ${$("version")}, ${$("traceContext")}, ${$int("wakeAt")}, 0, ${$int("detached")}, ${$int("awaited")}, ${$int("at")}, ${$int("at")})
  ${d.insertIgnore.after}`,
);

export interface ChildRow extends InstanceRow {
  readonly awaited: number;
}

/** Kept as it is until the transaction ends. */
export const lockInstance: Statement<"id", ChildRow> = statement(
  "children.lock",
  (d) => sql`select ${COLUMNS}, awaited from romancy_instances where id = ${$("id")} ${d.lockRow}`,
);

/** Its parent is to be told of its end, once more. */
export const markAwaited: Statement<"id"> = statement(
  "children.markAwaited",
  () => sql`update romancy_instances set awaited = awaited + 1 where id = ${$("id")}`,
);

/** A completed one is taken up again, to be undone. */
export const reopenChild: Statement<"id" | "status" | "reason" | "at"> = statement(
  "children.reopen",
  () => sql`
  update romancy_instances
  set status = ${$("status")}, completed_at = null, wake_at = ${$int("at")}, updated_at = ${$int("at")},
      epoch = epoch + 1, awaited = awaited + 1, cancel_requested_at = ${$int("at")}, cancel_reason = ${$("reason")}
  where id = ${$("id")} and status = 'completed'`,
);

/** The next event of its history: all that its code has done is to be undone. */
export const appendRollback: Statement<"instanceId" | "data" | "at"> = statement(
  "children.appendRollback",
  () => sql`
  insert into romancy_history (instance_id, seq, kind, operation_id, data, at)
  select ${$("instanceId")}, coalesce(max(seq), 0) + 1, 'rollback_started', 'rollback', ${$("data")}, ${$int("at")}
  from romancy_history where instance_id = ${$("instanceId")}`,
);

/** How an instance stands whose parent waits for its end. */
export interface AwaitedRow extends EndRow {
  readonly parent_id: string;
  readonly awaited: number;
  /** What it was started as: the first of its chain. */
  readonly first_id: string;
  /** 1 when the parent has not ended. */
  readonly is_parent_open: number;
}

/** Of the instances, those whose parents are to be told of their ends. */
export const awaitedEnds: Statement<"ids", AwaitedRow> = statement(
  "children.awaited",
  (d) => sql`
  select i.id, i.workflow, i.status, i.output, i.error, i.cancel_reason, i.compensation_errors, i.parent_id, i.awaited,
    coalesce(c.chain_id, i.id) as first_id, case when p.completed_at is null then 1 else 0 end as is_parent_open
  from romancy_instances i
  join romancy_instances p on p.id = i.parent_id
  left join romancy_chains c on c.instance_id = i.id
  where ${d.isOneOf("i.id", $list("ids"))} and i.awaited > 0`,
);
