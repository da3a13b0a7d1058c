/**
 * Listings of instances: a page behind a place, in order.
 *
 * 1. What a listing is read from is one index range, or several that are merged: each is in the listing's order, so that
 *    no more rows are read than a page takes, and those that the other parts of the filter leave out.
 * 2. The text depends on which statuses are asked for, and on how many values; never on what users have written.
 */
import type { InstanceStatus } from "../../core/status.ts";
import type { Dialect } from "../dialect.ts";
import { $, $int, $list, joined, type Sql, sql } from "../sql.ts";
import { type Statement, statement } from "../statement.ts";
import type { InstanceRow } from "./instances.ts";

/** A row without what may be large. */
export type SummaryRow = Omit<InstanceRow, "input" | "output" | "error" | "compensation_errors">;

const COLUMNS = sql`
  id, workflow, status, tags, priority, version, continued_from, parent_id, root_id, cancel_requested_at, cancel_reason,
  worker_id, created_at, updated_at, completed_at`;

/** What a listing is read from; of statuses each is a range. */
export type Source =
  | { readonly type: "all" | "parent" | "root" }
  | { readonly type: "statuses"; readonly statuses: readonly InstanceStatus[] };

/**
 * Statuses that have an index. The others, of which each instance has one after the other, have none: it would cost all
 * that run a third of their throughput. There are many of them, so that a page of the newest ones is soon found.
 */
export const LISTED_STATUSES: ReadonlySet<InstanceStatus> = new Set<InstanceStatus>([
  "waiting",
  "compensating",
  "blocked",
  "failed",
  "cancelled",
  "recurred",
] as const);

/** The form of a listing's text. */
export interface Form {
  readonly source: Source;
  readonly order: "newest" | "oldest";
  /** How many values of the input are compared. */
  readonly inputs: number;
}

/** The statement for listings of that form; the same one each time. */
export function listing(form: Form): Statement<string, SummaryRow> {
  const { source, order, inputs } = form;
  const ranges = source.type === "statuses" ? source.statuses.join("-") : source.type;
  const name = `instances.list.${ranges}.${order}.${inputs}`;
  let found = made.get(name);
  if (!found) {
    found = statement(name, (d) => textOf(d, form));
    made.set(name, found);
  }
  return found;
}

const made = new Map<string, Statement<string, SummaryRow>>();

function textOf(d: Dialect, { source, order, inputs }: Form): Sql<string> {
  const ordered = sql`order by ${order === "newest" ? "created_at desc, id desc" : "created_at, id"} limit ${$int("limit")}`;
  const [first, ...others] = rangesOf(d, source).map(
    (range) => sql`
    select ${COLUMNS} from romancy_instances
    where ${range} and ${order === "newest" ? NEWEST : OLDEST} and ${restOf(d, inputs)} ${ordered}`,
  );
  if (first && others.length === 0) return first;
  const parts = [first as Sql<string>, ...others].map(
    (part, place) => sql`select * from (${part}) as ${`range${place}`}`,
  );
  return sql`${joined(parts, " union all ")} ${ordered}`;
}

function rangesOf(d: Dialect, source: Source): Sql<string>[] {
  switch (source.type) {
    case "all":
      return [sql`1 = 1`];
    case "parent":
      return [sql`parent_id = ${$("parentId")}`];
    case "root":
      // In the words of the index, which leaves out what is its own root.
      return [sql`root_id = ${$("rootId")} and root_id <> id`, sql`id = ${$("rootId")} and root_id = ${$("rootId")}`];
    case "statuses":
      return source.statuses.map((status) => sql`${d.isListedAs(status)}`);
  }
}

function placesOf(places: number, range: (place: number) => Sql<string>): Sql<string>[] {
  return Array.from({ length: places }, (_, place) => range(place));
}

/** Behind a place in the order, up to a time. */
const NEWEST = sql`created_at <= ${$int("startAt")} and (created_at < ${$int("startAt")} or id < ${$("startId")})
  and created_at >= ${$int("endAt")}`;
const OLDEST = sql`created_at >= ${$int("startAt")} and (created_at > ${$int("startAt")} or id > ${$("startId")})
  and created_at < ${$int("endAt")}`;

/** What is looked at row by row; a part that is not asked for is null, or said to be so. */
function restOf(d: Dialect, inputs: number): Sql<string> {
  const parts: Sql<string>[] = [
    sql`(${$int("anyStatus")} = 1 or ${d.isOneOf("status", $list("statuses"))})`,
    sql`(${$int("anyWorkflow")} = 1 or ${d.isOneOf("workflow", $list("workflows"))})`,
    sql`(${$("version")} is null or version = ${$("version")})`,
    sql`(${$("idFrom")} is null or (id >= ${$("idFrom")} and id < ${$("idTo")}))`,
    sql`(${$("search")} is null or ${d.containsText("id", $("search"))} or ${d.containsText("workflow", $("search"))})`,
    sql`(${$("tags")} is null or ${d.hasMembers("tags", $("tags"))})`,
    sql`(${$("parentId")} is null or parent_id = ${$("parentId")})`,
    sql`(${$("rootId")} is null or root_id = ${$("rootId")})`,
    sql`updated_at >= ${$int("updatedFrom")} and updated_at < ${$int("updatedBefore")}`,
    sql`(${$int("anyEnd")} = 1 or (completed_at >= ${$int("completedFrom")} and completed_at < ${$int("completedBefore")}))`,
    ...placesOf(inputs, (place) => {
      const value = $(`value${place}`);
      const plain = { path: $(`path${place}`), lists: $(`lists${place}`) };
      const rich = { path: $(`richPath${place}`), lists: $(`richLists${place}`) };
      return sql`(${d.isJsonAt("input", plain, value)} or ${d.isJsonAt("input", rich, value)})`;
    }),
  ];
  return joined(parts, " and ");
}
