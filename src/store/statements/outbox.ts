import type { OutgoingEvent } from "../../core/action.ts";
import type { Dialect } from "../dialect.ts";
import { $, $int, $list, type Sql, sql } from "../sql.ts";
import { type Statement, statement } from "../statement.ts";
import { deleteOldest } from "./delete-oldest.ts";

/** Whether a row is one of those at the positions, which come as texts. */
const isOneOf = (d: Dialect): Sql<"positions"> =>
  d.name === "postgres"
    ? sql`position = any (${$list("positions")}::bigint[])`
    : d.isOneOf("position", $list("positions"));

/** What can be claimed; the words of the index. */
const FREE = "status = 'pending' and claimed_by is null";

type NewRow = "instanceId" | "id" | "attributes" | "body" | "isBinary" | "at";

/** Due at once, by the database's clock. */
export const insertEvent: Statement<NewRow> = statement(
  "outbox.insert",
  (d) => sql`
  insert into romancy_outbox (instance_id, id, attributes, body, is_binary, next_at, queued_at, created_at)
  values (${$("instanceId")}, ${$("id")}, ${$("attributes")}, ${$("body")}, ${$int("isBinary")}, ${d.now}, ${$int("at")}, ${$int("at")})`,
);

/** The values of `insertEvent`. */
export function outboxRow(instanceId: string, event: OutgoingEvent): Record<NewRow, string | number | null> {
  const { id, attributes, body, isBinary, at } = event;
  return { instanceId, id, attributes: JSON.stringify(attributes), body, isBinary: Number(isBinary), at };
}

export interface DueRow {
  readonly position: number;
  readonly instance_id: string;
  readonly attributes: string;
  readonly body: string | null;
  readonly is_binary: number;
  readonly attempts: number;
  readonly next_at: number;
  readonly queued_at: number;
  /** The event of its instance that is to be sent before it; `null` for none. */
  readonly before: number | null;
  /** The database's clock. */
  readonly now: number;
}

/**
 * What is due and nobody's, locked, whether something of the instance comes before it or not. What comes before was
 * written before, or with it, for both were written under the lock of the instance's row: it cannot be overlooked.
 * The clock is read once, so that PostgreSQL can look the time up in the index.
 */
export const lockDueEvents: Statement<"limit", DueRow> = statement(
  "outbox.lockDue",
  (d) => sql`
  select position, instance_id, attributes, body, is_binary, attempts, next_at, queued_at, ${d.now} as now,
         (select max(b.position) from romancy_outbox b
          where b.instance_id = o.instance_id and b.status = 'pending' and b.position < o.position) as ${before(d)}
  from romancy_outbox o where ${FREE} and next_at <= (select ${d.now})
  order by next_at, position limit ${$int("limit")} ${d.skipLocked}`,
);

/** A word that MySQL keeps for itself. */
function before({ name }: Dialect): string {
  return name === "mysql" ? "`before`" : "before";
}

/** They are the worker's, by this token. */
export const claimEvents: Statement<"workerId" | "token" | "positions"> = statement(
  "outbox.claim",
  (d) => sql`
  update romancy_outbox set claimed_by = ${$("workerId")}, claim_token = ${$("token")} where ${isOneOf(d)}`,
);

export interface StandingRow {
  readonly position: number;
  readonly next_at: number;
  readonly claimed_by: string | null;
}

export const standingsAt: Statement<"positions", StandingRow> = statement(
  "outbox.standings",
  (d) => sql`select position, next_at, claimed_by from romancy_outbox where ${isOneOf(d)}`,
);

/** They are looked at later. */
export const postponeEvents: Statement<"positions" | "nextAt"> = statement(
  "outbox.postpone",
  (d) => sql`update romancy_outbox set next_at = ${$int("nextAt")} where ${isOneOf(d)}`,
);

/** Of those that are still the committer's by this token. */
const held = (d: Dialect): Sql<"positions" | "token"> => sql`${isOneOf(d)} and claim_token = ${$("token")}`;

/** The broker has them. */
export const publishEvents: Statement<"positions" | "token"> = statement(
  "outbox.publish",
  (d) => sql`
  update romancy_outbox
  set status = 'published', attempts = attempts + 1, published_at = ${d.now}, claimed_by = null, claim_token = null
  where ${held(d)}`,
);

/** One could not be sent; it is tried again later, or given up, as its status says. */
export const failEvent: Statement<"positions" | "token" | "status" | "error" | "attempts" | "delay"> = statement(
  "outbox.fail",
  (d) => sql`
  update romancy_outbox
  set status = ${$("status")}, attempts = ${$int("attempts")}, last_error = coalesce(${$("error")}, last_error),
      next_at = ${d.now} + ${$int("delay")}, claimed_by = null, claim_token = null
  where ${held(d)}`,
);

/** They were claimed and not sent. */
export const releaseEvents: Statement<"positions" | "token" | "delay"> = statement(
  "outbox.release",
  (d) => sql`
  update romancy_outbox set next_at = ${d.now} + ${$int("delay")}, claimed_by = null, claim_token = null
  where ${held(d)}`,
);

/** What waited for others of these instances is due. */
export const wakeEvents: Statement<"instances"> = statement(
  "outbox.wake",
  (d) => sql`
  update romancy_outbox set next_at = ${d.now}
  where ${d.isOneOf("instance_id", $list("instances"))} and ${FREE} and next_at > ${d.now}`,
);

/** When the next one is due that is nobody's; it may be long past. */
export const nextDueEvent: Statement<never, { readonly next_at: number }> = statement(
  "outbox.nextDue",
  () => sql`select next_at from romancy_outbox where ${FREE} order by next_at limit 1`,
);

const free = (d: Dialect): Sql<never> => sql`
  update romancy_outbox set next_at = ${d.now}, claimed_by = null, claim_token = null`;

/** What the worker has claimed, by any token or this one, is nobody's. */
export const freeEventsOf: Statement<"workerId" | "token"> = statement(
  "outbox.freeOf",
  (d) => sql`
  ${free(d)} where claimed_by = ${$("workerId")} and (${$("token")} is null or claim_token = ${$("token")})`,
);

/** The same for workers that are no more. */
export const freeOrphanEvents: Statement<never> = statement(
  "outbox.freeOrphans",
  (d) => sql`${free(d)} where claimed_by is not null and claimed_by not in (select id from romancy_workers)`,
);

export interface EventRow {
  readonly position: number;
  readonly id: string;
  readonly instance_id: string;
  readonly attributes: string;
  readonly body: string | null;
  readonly is_binary: number;
  readonly status: string;
  readonly attempts: number;
  readonly next_at: number;
  readonly created_at: number;
  readonly published_at: number | null;
  readonly last_error: string | null;
}

const listed = sql`
  select position, id, instance_id, attributes, body, is_binary, status, attempts, next_at, created_at, published_at, last_error
  from romancy_outbox where position > ${$int("after")}`;

const inOrder = sql`order by position limit ${$int("limit")}`;

/** In order, from behind a position: all of them, those of a status, of an instance, or of both. */
export const listEvents: Statement<"after" | "limit", EventRow> = statement(
  "outbox.list",
  () => sql`${listed} ${inOrder}`,
);
export const listEventsByStatus: Statement<"after" | "limit" | "status", EventRow> = statement(
  "outbox.listByStatus",
  () => sql`${listed} and status = ${$("status")} ${inOrder}`,
);
/** The same for all statuses but `published`, which has no index of its own. */
export const listOpenEvents: Statement<"after" | "limit" | "status", EventRow> = statement(
  "outbox.listOpen",
  () => sql`${listed} and status = ${$("status")} and status <> 'published' ${inOrder}`,
);
export const listEventsOf: Statement<"after" | "limit" | "instanceId", EventRow> = statement(
  "outbox.listOf",
  () => sql`${listed} and instance_id = ${$("instanceId")} ${inOrder}`,
);
export const listEventsOfByStatus: Statement<"after" | "limit" | "instanceId" | "status", EventRow> = statement(
  "outbox.listOfByStatus",
  () => sql`${listed} and instance_id = ${$("instanceId")} and status = ${$("status")} ${inOrder}`,
);

/** Some that are not published and not being sent, of an id or an instance, if one is given, behind a position. */
export const retriable: Statement<"statuses" | "id" | "instanceId" | "after" | "limit", { readonly position: number }> =
  statement(
    "outbox.retriable",
    (d) => sql`
  select position from romancy_outbox
  where ${d.isOneOf("status", $list("statuses"))} and status <> 'published' and claimed_by is null
    and position > ${$int("after")}
    and (${$("id")} is null or id = ${$("id")})
    and (${$("instanceId")} is null or instance_id = ${$("instanceId")})
  order by position limit ${$int("limit")}`,
  );

/** They are sent as if for the first time. */
export const retryEvents: Statement<"positions"> = statement(
  "outbox.retry",
  (d) => sql`
  update romancy_outbox set status = 'pending', attempts = 0, next_at = ${d.now}, queued_at = ${d.now}
  where ${isOneOf(d)} and status <> 'published' and claimed_by is null`,
);

/** Published ones that are old enough. */
export const forgetPublished: Statement<"before" | "limit"> = statement("outbox.forgetPublished", (d) =>
  deleteOldest(d, "romancy_outbox", sql`published_at < ${$int("before")}`, "published_at"),
);
