import { $, $int, $list, sql } from "../sql.ts";
import { type Statement, statement } from "../statement.ts";

/** A row of `romancy_history`. */
export interface HistoryRow {
  readonly instance_id: string;
  readonly seq: number;
  readonly kind: string;
  readonly operation_id: string;
  readonly data: string | null;
  readonly at: number;
}

type Columns = "instanceId" | "seq" | "kind" | "operationId" | "data" | "at";

/** For events whose instance is known to be the committer's. */
export const appendEvent: Statement<Columns> = statement(
  "history.append",
  () => sql`
  insert into romancy_history (instance_id, seq, kind, operation_id, data, at)
  values (${$("instanceId")}, ${$int("seq")}, ${$("kind")}, ${$("operationId")}, ${$("data")}, ${$int("at")})`,
);

/**
 * The fenced form: changes nothing when the epoch is another (invariant 2). The row is locked, so that nobody claims
 * the instance, and reads a history without this event, before the event is there.
 */
export const appendEventFenced: Statement<Columns | "epoch"> = statement(
  "history.appendFenced",
  (d) => sql`
  insert into romancy_history (instance_id, seq, kind, operation_id, data, at)
  select id, ${$int("seq")}, ${$("kind")}, ${$("operationId")}, ${$("data")}, ${$int("at")}
  from romancy_instances where id = ${$("instanceId")} and epoch = ${$int("epoch")} ${d.lockRow}`,
);

const page = (table: string): Statement<"ids" | "afterId" | "afterSeq" | "limit", HistoryRow> =>
  statement(
    `${table}.page`,
    (d) => sql`
  select instance_id, seq, kind, operation_id, data, at from ${table}
  where ${d.isOneOf("instance_id", $list("ids"))} and instance_id >= ${$("afterId")}
    and (instance_id > ${$("afterId")} or seq > ${$int("afterSeq")})
  order by instance_id, seq limit ${$int("limit")}`,
  );

/** A page of the histories of several instances, in order, from behind `(afterId, afterSeq)`. */
export const historyPage: ReturnType<typeof page> = page("romancy_history");

/** The same of instances that went on as others. */
export const archivePage: ReturnType<typeof page> = page("romancy_history_archive");

/** The next event of an instance that has ended, and whose rollback has begun by then; nothing for others. */
export const appendRetry: Statement<"instanceId" | "at"> = statement(
  "history.appendRetry",
  () => sql`
  insert into romancy_history (instance_id, seq, kind, operation_id, data, at)
  select ${$("instanceId")}, max(seq) + 1, 'rollback_retried', 'rollback', null, ${$int("at")}
  from romancy_history where instance_id = ${$("instanceId")}
  having count(case when kind = 'rollback_started' then 1 end) > 0`,
);

/** The next event of an instance whose row is the committer's until the transaction ends. */
export const appendRetried: Statement<"instanceId" | "data" | "at"> = statement(
  "history.appendRetried",
  () => sql`
  insert into romancy_history (instance_id, seq, kind, operation_id, data, at)
  select ${$("instanceId")}, coalesce(max(seq), 0) + 1, 'retried', 'retry', ${$("data")}, ${$int("at")}
  from romancy_history where instance_id = ${$("instanceId")}`,
);

/** Whether the instance was retried at that moment. */
export const hasRetried: Statement<"instanceId" | "at", { readonly seq: number }> = statement(
  "history.hasRetried",
  () => sql`
  select seq from romancy_history
  where instance_id = ${$("instanceId")} and kind = 'retried' and at = ${$int("at")}`,
);

/** What is recorded in that place. */
export const eventAt: Statement<"instanceId" | "seq", HistoryRow> = statement(
  "history.at",
  () => sql`
  select instance_id, seq, kind, operation_id, data, at from romancy_history
  where instance_id = ${$("instanceId")} and seq = ${$int("seq")}`,
);

export const hasEvent: Statement<Columns, { readonly seq: number }> = statement(
  "history.has",
  () => sql`
  select seq from romancy_history
  where instance_id = ${$("instanceId")} and seq = ${$int("seq")} and kind = ${$("kind")}
    and operation_id = ${$("operationId")} and at = ${$int("at")}
    and coalesce(data, '') = coalesce(${$("data")}, '')`,
);
