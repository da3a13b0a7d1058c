import type { Dialect } from "../dialect.ts";
import { $, $int, $list, type Sql, sql } from "../sql.ts";
import { type Statement, statement } from "../statement.ts";
import { deleteOldest } from "./delete-oldest.ts";

type Window = "behind" | "behindId" | "upTo" | "upToId";

/** From one place in the order of creation, without it, to another. */
const isWithin = sql`r.created_at >= ${$int("behind")} and (r.created_at > ${$int("behind")} or r.id > ${$("behindId")})`;

/** The last of so many instances behind a place that were created before a time. */
export const windowEnd: Statement<
  "behind" | "behindId" | "before" | "limit",
  { readonly id: string; readonly created_at: number }
> = statement(
  "retention.windowEnd",
  () => sql`
  select id, created_at from (
    select r.id, r.created_at from romancy_instances r
    where ${isWithin} and r.created_at < ${$int("before")}
    order by r.created_at, r.id limit ${$int("limit")}) as seen
  order by created_at desc, id desc limit 1`,
);

export interface TreeRow {
  readonly id: string;
  readonly status: string;
  readonly is_held: number;
}

/** Members of a tree but its first; the newest ones are looked at first, for of those that go on it is the last that lives. */
const isLive = sql`(m.completed_at is null or m.completed_at >= ${$int("before")})`;

/** Trees whose first instance has ended; of one that went on, what its last came to. */
export const endedTrees: Statement<Window | "before" | "anyWorkflow" | "workflows" | "noOther" | "others", TreeRow> =
  statement(
    "retention.ended",
    (d) => sql`
  select r.id,
    coalesce(
      (select l.status from romancy_chains c join romancy_instances l on l.id = c.instance_id
       where c.chain_id = r.id order by c.generation desc limit 1), r.status) as status,
    coalesce(
      (select 1 from romancy_instances m where m.root_id = r.id and m.root_id <> m.id and ${isLive}
       order by m.created_at desc limit 1), 0) as is_held
  from romancy_instances r
  where ${isWithin} and r.created_at <= ${$int("upTo")} and (r.created_at < ${$int("upTo")} or r.id <= ${$("upToId")})
    and r.root_id = r.id and r.completed_at < ${$int("before")}
    and (${$int("anyWorkflow")} = 1 or ${d.isOneOf("r.workflow", $list("workflows"))})
    and (${$int("noOther")} = 1 or not ${d.isOneOf("r.workflow", $list("others"))})
  order by r.created_at, r.id`,
  );

const isMember = (d: Dialect): Sql<"ids"> => sql`${d.isOneOf("root_id", $list("ids"))} and root_id <> id`;

/** How many members each tree has beside its first. */
export const countMembers: Statement<"ids", { readonly root_id: string; readonly n: number }> = statement(
  "retention.countMembers",
  (d) => sql`select root_id, count(*) as n from romancy_instances where ${isMember(d)} group by root_id`,
);

export interface DoomedRow {
  readonly id: string;
  readonly root_id: string;
  readonly completed_at: number | null;
  /** How long its history is, or was. */
  readonly events: number;
}

const doomed = sql`
  select id, root_id, completed_at,
    coalesce((select max(h.seq) from romancy_history h where h.instance_id = i.id), 0)
      + coalesce((select max(a.seq) from romancy_history_archive a where a.instance_id = i.id), 0) as events
  from romancy_instances i`;

/** The first of each tree that has ended before that time, and that nobody else holds. */
export const lockRoots: Statement<"ids" | "before", DoomedRow> = statement(
  "retention.lockRoots",
  (d) => sql`
  ${doomed} where ${d.isOneOf("id", $list("ids"))} and root_id = id and completed_at < ${$int("before")}
  ${d.skipLocked}`,
);

/** The others of the trees that nobody else holds, tree by tree. */
export const lockMembers: Statement<"ids" | "limit", DoomedRow> = statement(
  "retention.lockMembers",
  (d) => sql`
  ${doomed} where ${isMember(d)} order by root_id, created_at, id limit ${$int("limit")} ${d.skipLocked}`,
);

const deleteOf = (table: string, column: string): Statement<"ids"> =>
  statement(`retention.${table}`, (d) => sql`delete from ${table} where ${d.isOneOf(column, $list("ids"))}`);

/** Everything of instances but their events for brokers, which go by ages of their own. */
export const deletions: readonly Statement<"ids">[] = [
  ...["history", "history_archive", "inbox", "subscriptions", "channel_subscriptions", "groups", "chains"].map(
    (table) => deleteOf(`romancy_${table}`, "instance_id"),
  ),
  deleteOf("romancy_instances", "id"),
];

/** Events for brokers that were given up, and when; from then on nothing has touched them. */
export const forgetGivenUp: Statement<"before" | "limit"> = statement("outbox.forgetGivenUp", (d) =>
  deleteOldest(
    d,
    "romancy_outbox",
    sql`status in ('invalid', 'failed', 'expired') and claimed_by is null and next_at < ${$int("before")}`,
    d.name === "mysql" ? "status, claimed_by, next_at" : "next_at",
  ),
);
