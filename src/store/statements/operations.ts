/** What operators ask: who works, and what does not get on. */
import { PRIORITY_STEP } from "../rows.ts";
import { $, $int, sql } from "../sql.ts";
import { type Statement, statement } from "../statement.ts";

export interface WorkerRow {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly born: string;
  readonly started_at: number;
  readonly expires_at: number;
  /** 1 when its lease has run out, by the database's clock. */
  readonly expired: number;
  /** 1 when its lock is held, 0 when it is free; `null` when it has none. */
  readonly locked: number | null;
  readonly instances: number;
}

export const listWorkers: Statement<never, WorkerRow> = statement(
  "operations.workers",
  (d) => sql`
  select w.id, w.host, w.pid, w.born, w.started_at, w.expires_at,
         case when w.expires_at < ${d.now} then 1 else 0 end as expired, ${d.isLockHeld("w.lock_name")} as locked,
         (select count(*) from romancy_instances i where i.worker_id = w.id) as instances
  from romancy_workers w order by w.started_at, w.id`,
);

export interface BacklogRow {
  readonly workflow: string;
  readonly instances: number;
  /** Epoch milliseconds. */
  readonly since: number;
}

/** When it was due, whatever its priority. */
const DUE_AT = `wake_at + priority * ${PRIORITY_STEP}`;

/** By workflow, what has been due and nobody's since that time. */
export const overdueInstances: Statement<"before" | "limit", BacklogRow> = statement(
  "operations.overdue",
  () => sql`
  select workflow, count(*) as instances, min(${DUE_AT}) as since from romancy_instances
  where worker_id is null and wake_at is not null and wake_at <= ${$int("before")} and ${DUE_AT} <= ${$int("before")}
  group by workflow order by since limit ${$int("limit")}`,
);

/** By workflow, what is blocked. */
export const blockedInstances: Statement<"limit", BacklogRow> = statement(
  "operations.blocked",
  (d) => sql`
  select workflow, count(*) as instances, min(updated_at) as since from romancy_instances where ${d.isBlocked}
  group by workflow order by since limit ${$int("limit")}`,
);

export interface OutboxBacklogRow {
  readonly status: string;
  readonly events: number;
  /** Epoch milliseconds. */
  readonly since: number;
}

/** By status, what has not been sent: what should have been by that time, and what was given up. */
export const outboxBacklog: Statement<"before", OutboxBacklogRow> = statement(
  "operations.outboxBacklog",
  () => sql`
  select status, count(*) as events, min(queued_at) as since from romancy_outbox
  where status <> 'published' and (status <> 'pending' or queued_at <= ${$int("before")})
  group by status order by status`,
);

/** The server's version, as it tells it. */
export const serverVersion: Statement<never, { readonly version: string }> = statement("operations.version", (d) =>
  d.name === "postgres"
    ? sql`select current_setting('server_version') as version`
    : d.name === "mysql"
      ? sql`select version() as version`
      : sql`select sqlite_version() as version`,
);

/** Of SQLite alone. */
export const journalMode: Statement<never, { readonly journal_mode: string }> = statement(
  "operations.journalMode",
  () => sql`pragma journal_mode`,
);

/** 1 when somebody holds the lock, 0 when nobody does; `null` where there are no such locks. */
export const isLockHeld: Statement<"name", { readonly held: number | null }> = statement(
  "operations.isLockHeld",
  (d) => sql`select ${d.isLockHeld("probe.name")} as held from (select ${$("name")} as name) probe`,
);
