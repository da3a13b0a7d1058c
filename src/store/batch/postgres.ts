/** A batch as one statement, and so one transaction and one round trip, on PostgreSQL: each column comes as an array. */
import type { Advance, ChangeResult, Create } from "../../core/commit.ts";
import type { Database } from "../database.ts";
import { eventRow, newRow, patchRow } from "../rows.ts";
import type { Runner } from "../runner.ts";
import { $, type Sql, sql } from "../sql.ts";
import { type Statement, statement } from "../statement.ts";
import { existing } from "./each.ts";

type Value = string | number | null;
/** A list of rows: its name, and its columns with their types. */
type List = readonly [name: string, columns: Readonly<Record<string, "text" | "bigint">>];

const CREATES: List = [
  "new_row",
  {
    id: "text",
    workflow: "text",
    status: "text",
    input: "text",
    tags: "text",
    priority: "bigint",
    wakeAt: "bigint",
    workerId: "text",
    epoch: "bigint",
    at: "bigint",
  },
];

const PATCHES: List = [
  "patch",
  {
    id: "text",
    epoch: "bigint",
    event: "text",
    status: "text",
    output: "text",
    error: "text",
    wakeAt: "bigint",
    signals: "bigint",
    at: "bigint",
  },
];

/** Advances that only append. Their rows are locked, so that nobody claims them before the events are there. */
const HOLDS: List = ["hold", { id: "text", epoch: "bigint" }];

const EVENTS: List = [
  "event",
  { instanceId: "text", seq: "bigint", kind: "text", operationId: "text", data: "text", at: "bigint" },
];

interface Outcome {
  readonly kind: "created" | "advanced";
  readonly id: string;
}

const batch: Statement<string, Outcome> = statement(
  "batch",
  () => sql`
  with created as (
    insert into romancy_instances
      (id, workflow, status, input, root_id, tags, priority, wake_at, worker_id, epoch, created_at, updated_at)
    select id, workflow, status, input, id, tags, priority, "wakeAt", "workerId", epoch, at, at from ${rows(CREATES)}
    on conflict do nothing returning id),
  patched as (
    update romancy_instances i
    set status = coalesce(patch.status, i.status), output = patch.output, error = patch.error,
        worker_id = case patch.event when 'progress' then i.worker_id end,
        wake_at = case patch.event when 'progress' then i.wake_at when 'suspend' then
          case when i.signals <> patch.signals then patch.at else patch."wakeAt" end end,
        updated_at = patch.at, completed_at = case when patch.event in ('complete', 'fail') then patch.at end,
        recoveries = 0
    from ${rows(PATCHES)}
    where i.id = patch.id and i.epoch = patch.epoch and i.completed_at is null returning i.id),
  held as (
    select i.id from romancy_instances i join ${rows(HOLDS)} on i.id = hold.id and i.epoch = hold.epoch
    for no key update of i),
  advanced as (select id from patched union all select id from held),
  appended as (
    insert into romancy_history (instance_id, seq, kind, operation_id, data, at)
    select event."instanceId", event.seq, event.kind, event."operationId", event.data, event.at
    from ${rows(EVENTS)} join advanced on advanced.id = event."instanceId")
  select 'created' as kind, id from created union all select 'advanced' as kind, id from advanced`,
  true,
);

/** Applies the changes in one transaction. */
export async function applyOnPostgres(
  database: Database,
  runner: Runner,
  changes: readonly (Create | Advance)[],
): Promise<ChangeResult[]> {
  const creates = changes.filter((change) => change.type === "create");
  const advances = changes.filter((change) => change.type === "advance");
  const outcomes = await runner.all(database.writer, batch, {
    ...arrays(
      CREATES,
      creates.map(({ instance }) => newRow(instance)),
    ),
    ...arrays(PATCHES, advances.flatMap(patchRow)),
    ...arrays(
      HOLDS,
      advances.filter(({ patch }) => !patch).map(({ instanceId: id, epoch }) => ({ id, epoch })),
    ),
    ...arrays(
      EVENTS,
      advances.flatMap(({ instanceId, events }) => events.map((event) => eventRow(instanceId, event))),
    ),
  });
  const created = new Set(outcomes.flatMap(({ kind, id }) => (kind === "created" ? [id] : [])));
  const advanced = new Set(outcomes.flatMap(({ kind, id }) => (kind === "advanced" ? [id] : [])));
  const results: ChangeResult[] = [];
  for (const change of changes) results.push(await judge(change));
  return results;

  async function judge(change: Create | Advance): Promise<ChangeResult> {
    if (change.type === "advance") return { type: advanced.has(change.instanceId) ? "applied" : "fenced" };
    // Of two creations of one id in a batch the first one counts.
    if (created.delete(change.instance.id)) return { type: "applied" };
    return existing(database.reader, runner, change.instance.id);
  }
}

/** The list as a table in the statement: one parameter for each column. */
function rows([name, columns]: List): Sql<string> {
  const names = Object.keys(columns);
  const quoted = names.map((column) => `"${column}"`).join(", ");
  const parts = names.flatMap((column, index) => [
    index === 0 ? "unnest(" : ", ",
    $(`${name}.${column}`),
    `::${columns[column]}[]`,
  ]);
  return { parts: [...parts, `) as ${name}(${quoted})`] };
}

/** The rows' columns as array literals (https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO). */
function arrays([name, columns]: List, list: readonly Readonly<Record<string, Value>>[]): Record<string, string> {
  const params: Record<string, string> = {};
  for (const [column, type] of Object.entries(columns)) {
    const write = type === "text" ? quote : String;
    const literals = list.map((row) => {
      const value = row[column];
      return value === null || value === undefined ? "NULL" : write(value);
    });
    params[`${name}.${column}`] = `{${literals.join(",")}}`;
  }
  return params;
}

const SPECIAL = /["\\]/g;

function quote(value: Value): string {
  return `"${String(value).replace(SPECIAL, "\\$&")}"`;
}
