import { $, $int, sql } from "../sql.ts";
import { type Statement, statement } from "../statement.ts";
import { nextDue } from "./instances.ts";
import { nextDueEvent } from "./outbox.ts";

export interface SurveyRow {
  /** `null` in the row that stands for none. */
  readonly id: string | null;
  readonly incarnation: string;
  readonly host: string;
  readonly pid: number;
  readonly born: string;
  readonly expires_at: number;
  /** 1 when its lease has run out, by the database's clock. */
  readonly expired: number;
  /** 0 when it has lost the lock that its connection holds; `null` when it has none to hold. */
  readonly locked: number | null;
  /** Epoch milliseconds; `null` for never. */
  readonly next_due: number | null;
  /** The same of events for brokers. */
  readonly next_event: number | null;
  /** 1 if there are any. */
  readonly orphans: number;
}

/** Instances whose owners do not exist. */
const orphans = `
  select i.id from romancy_instances i
  where i.worker_id is not null and i.worker_id not in (select id from romancy_workers)`;

/** The same of events for brokers. */
const orphanEvents = `
  select o.position from romancy_outbox o
  where o.claimed_by is not null and o.claimed_by not in (select id from romancy_workers)`;

type NewRow = "id" | "incarnation" | "host" | "pid" | "born" | "lockName" | "lease";

export const insertWorker: Statement<NewRow> = statement(
  "workers.insert",
  (d) => sql`
  insert ${d.insertIgnore.before} into romancy_workers (id, incarnation, host, pid, born, lock_name, started_at, expires_at)
  values (${$("id")}, ${$("incarnation")}, ${$("host")}, ${$int("pid")}, ${$("born")}, ${$("lockName")}, ${d.now}, ${d.now} + ${$int("lease")})
  ${d.insertIgnore.after}`,
);

/**
 * By the database's clock, so that workers' clocks do not matter (invariant 3). With the lock: a note of another one may
 * have been late.
 */
export const renewLease: Statement<"id" | "incarnation" | "lockName" | "lease"> = statement(
  "workers.renew",
  (d) => sql`
  update romancy_workers set expires_at = ${d.now} + ${$int("lease")}, lock_name = ${$("lockName")}
  where id = ${$("id")} and incarnation = ${$("incarnation")}`,
);

/**
 * All that a worker must know of others, in one query: a row for each worker, or one of nulls, and in each row when the
 * next instance and the next event are due and whether any has an owner that does not exist.
 */
export const survey: Statement<"workflows" | "mostRecoveries", SurveyRow> = statement(
  "workers.survey",
  (d) => sql`
  select w.id, w.incarnation, w.host, w.pid, w.born, w.expires_at, case when w.expires_at < ${d.now} then 1 else 0 end as expired,
         ${d.isLockHeld("w.lock_name")} as locked, (${nextDue.build(d)}) as next_due,
         (${nextDueEvent.build(d)}) as next_event,
         case when exists (${orphans}) or exists (${orphanEvents}) then 1 else 0 end as orphans
  from (select 1 as one) o left join romancy_workers w on 1 = 1`,
);

/**
 * The incarnation guards one that has just taken the same id; when the lease ends, unless it is null, one that has given
 * a sign of life since it was judged.
 */
export const deleteWorker: Statement<"id" | "incarnation" | "expiresAt"> = statement(
  "workers.delete",
  () => sql`
  delete from romancy_workers
  where id = ${$("id")} and incarnation = ${$("incarnation")}
    and (${$int("expiresAt")} is null or expires_at = ${$int("expiresAt")})`,
);

/** The lock by which others see that the worker lives; `null` for none. */
export const setLock: Statement<"id" | "incarnation" | "lockName"> = statement(
  "workers.setLock",
  () => sql`
  update romancy_workers set lock_name = ${$("lockName")}
  where id = ${$("id")} and incarnation = ${$("incarnation")}`,
);

export const incarnationOf: Statement<"id", { readonly incarnation: string }> = statement(
  "workers.incarnationOf",
  () => sql`select incarnation from romancy_workers where id = ${$("id")}`,
);

/** The database's clock, in epoch milliseconds. */
export const databaseTime: Statement<never, { readonly now: number }> = statement(
  "clock.now",
  (d) => sql`select ${d.now} as now`,
);
