import { $, sql } from "../sql.ts";
import { type Statement, statement } from "../statement.ts";

/** A row of `romancy_workers`. */
export interface WorkerRow {
  readonly id: string;
  readonly incarnation: string;
  readonly host: string;
  readonly pid: number;
  readonly born: string;
  readonly expired: number;
}

type NewRow = "id" | "incarnation" | "host" | "pid" | "born" | "lease";

export const insertWorker: Statement<NewRow> = statement(
  "workers.insert",
  (d) => sql`
  insert ${d.insertIgnore.before} into romancy_workers (id, incarnation, host, pid, born, started_at, expires_at)
  values (${$("id")}, ${$("incarnation")}, ${$("host")}, ${$("pid")}, ${$("born")}, ${d.now}, ${d.now} + ${$("lease")})
  ${d.insertIgnore.after}`,
);

/** By the database's clock, so that workers' clocks do not matter (invariant 3). */
export const renewLease: Statement<"id" | "incarnation" | "lease"> = statement(
  "workers.renew",
  (d) => sql`
  update romancy_workers set expires_at = ${d.now} + ${$("lease")}
  where id = ${$("id")} and incarnation = ${$("incarnation")}`,
);

export const allWorkers: Statement<never, WorkerRow> = statement(
  "workers.all",
  (d) => sql`
  select id, incarnation, host, pid, born, case when expires_at < ${d.now} then 1 else 0 end as expired
  from romancy_workers`,
);

/** The incarnation guards one that has just taken the same id. */
export const deleteWorker: Statement<"id" | "incarnation"> = statement(
  "workers.delete",
  () => sql`delete from romancy_workers where id = ${$("id")} and incarnation = ${$("incarnation")}`,
);

export const orphanedOwner: Statement<never, { worker_id: string }> = statement(
  "workers.orphanedOwner",
  () => sql`
  select worker_id from romancy_instances
  where worker_id is not null and worker_id not in (select id from romancy_workers) limit 1`,
);
