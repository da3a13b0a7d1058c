/**
 * A batch as one statement, and so one transaction and one round trip, on PostgreSQL: each column comes as an array. Its
 * instances' rows are locked in the order of their ids, as by all who lock several: so no two wait for each other.
 */
import type { Advance, ChangeResult, Create } from "../../core/commit.ts";
import type { Connection } from "../database.ts";
import type { Dialect } from "../dialect.ts";
import { eventRow, newRow, patchRow, subscriptionRows } from "../rows.ts";
import type { Runner } from "../runner.ts";
import { $int, type Sql, sql } from "../sql.ts";
import { type Statement, statement } from "../statement.ts";
import { existing, refusalOf } from "./each.ts";
import { appliedResult, childRows, childSubscriptionRows, eventsOf, holdRow, outboxRows } from "./foreseen.ts";
import { arrays, type List, rows } from "./lists.ts";
import { inLockOrder } from "./lock-order.ts";

const CREATES: List = [
  "new_row",
  {
    id: "text",
    workflow: "text",
    status: "text",
    input: "text",
    tags: "text",
    priority: "bigint",
    version: "text",
    traceContext: "text",
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
    compensationErrors: "text",
    wakeAt: "bigint",
    signals: "bigint",
    at: "bigint",
    knowsOfCancel: "bigint",
  },
];

/** What the rows of advances must be like. They are locked, so that nobody claims them before the events are there. */
const HOLDS: List = ["hold", { id: "text", epoch: "bigint", open: "bigint", heedless: "bigint" }];

const EVENTS: List = [
  "event",
  { instanceId: "text", seq: "bigint", kind: "text", operationId: "text", data: "text", at: "bigint" },
];

const READS: List = ["read", { instanceId: "text", position: "bigint", at: "bigint" }];

/** `changedId` is the instance with whose change it comes: its own, or its parent's. */
const SUBSCRIPTIONS: List = ["subscription", { changedId: "text", instanceId: "text", type: "text", key: "text" }];

const OUTGOING: List = [
  "outgoing",
  { instanceId: "text", id: "text", attributes: "text", body: "text", isBinary: "bigint", at: "bigint" },
];

const CHILDREN: List = [
  "child",
  {
    id: "text",
    workflow: "text",
    input: "text",
    parentId: "text",
    tags: "text",
    priority: "bigint",
    version: "text",
    traceContext: "text",
    wakeAt: "bigint",
    detached: "bigint",
    awaited: "bigint",
    at: "bigint",
  },
];

/** Instances that have ended, and whose mail goes with them. */
const CLEARS: List = ["clear", { id: "text" }];

interface Outcome {
  /** Ids as JSON; `null` when all of the changes apply, as they almost always do: to tell each would cost as much again. */
  readonly created: string | null;
  readonly held: string | null;
}

/** What concerns children, mail and outboxes, for batches that have any; an array's rows come in its order. */
const more = (d: Dialect): Sql<string> => sql`,
  started as (
    insert into romancy_instances
      (id, workflow, status, input, parent_id, root_id, tags, priority, version, trace_context, wake_at, epoch,
       detached, awaited, created_at, updated_at)
    select child.id, child.workflow, 'pending', child.input, child."parentId", held.root_id, child.tags, child.priority,
      child.version, child."traceContext", child."wakeAt", 0, child.detached, child.awaited, child.at, child.at
    from ${rows(CHILDREN)} join held on held.id = child."parentId" order by child.id collate "C"),
  put_out as (
    insert into romancy_outbox (instance_id, id, attributes, body, is_binary, next_at, queued_at, created_at)
    select outgoing."instanceId", outgoing.id, outgoing.attributes, outgoing.body, outgoing."isBinary",
      ${d.now}, outgoing.at, outgoing.at
    from ${rows(OUTGOING, true)} join held on held.id = outgoing."instanceId" order by outgoing.ordinality),
  marked as (
    update romancy_inbox b set read_at = read.at, data = ''
    from ${rows(READS)} join held on held.id = read."instanceId"
    where b.instance_id = read."instanceId" and b.position = read.position),
  subscribed as (
    insert into romancy_subscriptions (instance_id, type, message_key)
    select subscription."instanceId", subscription.type, subscription.key
    from ${rows(SUBSCRIPTIONS)}
    join (select id from held union all select id from created) here on here.id = subscription."changedId"
    on conflict do nothing),
  cleared as (select clear.id from ${rows(CLEARS)} join held on held.id = clear.id),
  unsubscribed as (delete from romancy_subscriptions where instance_id in (select id from cleared)),
  unsubscribed_channels as (delete from romancy_channel_subscriptions where instance_id in (select id from cleared)),
  left_groups as (delete from romancy_groups where instance_id in (select id from cleared)),
  emptied as (delete from romancy_inbox where instance_id in (select id from cleared))`;

const NO_MORE: Sql<never> = { parts: [] };

/** @param name of what is told; its parameter is how many there are to be */
function idsUnlessAll(name: "created" | "held"): Sql<string> {
  return sql`(select case when count(*) < ${$int(name)}::bigint then coalesce(json_agg(id), '[]')::text end from ${name}) as ${name}`;
}

/** The updates come last, when the rows are locked: nothing asks for what they give. */
const batch = (name: string, rest: (d: Dialect) => Sql<string>): Statement<string, Outcome> =>
  statement(
    name,
    (d) => sql`
  with created as (
    insert into romancy_instances
      (id, workflow, status, input, root_id, tags, priority, version, trace_context, wake_at, worker_id, epoch,
       created_at, updated_at)
    select id, workflow, status, input, id, tags, priority, version, "traceContext", "wakeAt", "workerId", epoch, at, at
    from ${rows(CREATES)}
    on conflict do nothing returning id),
  held as (
    select i.id, i.root_id from romancy_instances i join ${rows(HOLDS)} on i.id = hold.id and i.epoch = hold.epoch
    where (hold.open = 0 or i.completed_at is null) and (hold.heedless = 0 or i.cancel_requested_at is null)
    order by i.id for no key update of i),
  patched as (
    update romancy_instances i
    set status = coalesce(patch.status, i.status), output = coalesce(patch.output, i.output), error = patch.error,
        compensation_errors = patch."compensationErrors",
        worker_id = case when patch.event in ('progress', 'compensate') then i.worker_id end,
        wake_at = case when patch.event in ('progress', 'compensate') then i.wake_at when patch.event = 'suspend' then
          case when i.signals <> patch.signals then patch.at else patch."wakeAt" end end,
        updated_at = patch.at,
        completed_at = case when patch.event in ('complete', 'fail', 'cancel') then patch.at end,
        recoveries = 0
    from ${rows(PATCHES)}
    where i.id = patch.id and i.epoch = patch.epoch and i.completed_at is null
      and (i.cancel_requested_at is null or patch."knowsOfCancel" = 1 or patch.event in ('progress', 'suspend'))),
  appended as (
    insert into romancy_history (instance_id, seq, kind, operation_id, data, at)
    select event."instanceId", event.seq, event.kind, event."operationId", event.data, event.at
    from ${rows(EVENTS)} join held on held.id = event."instanceId")${rest(d)}
  select ${idsUnlessAll("created")}, ${idsUnlessAll("held")}`,
    true,
  );

const plainBatch = batch("batch", () => NO_MORE);
const batchWithMore = batch("batchWithMore", more);

/** Applies the changes in one statement: a transaction of its own, or part of one. */
export async function applyOnPostgres(
  connection: Connection,
  runner: Runner,
  changes: readonly (Create | Advance)[],
): Promise<ChangeResult[]> {
  const creates = changes.filter((change) => change.type === "create").map(({ instance }) => newRow(instance));
  const advances = inLockOrder(
    changes.filter((change) => change.type === "advance"),
    ({ instanceId }) => instanceId,
  );
  const reads = advances.flatMap(({ instanceId, reads = [] }) => reads.map((read) => ({ instanceId, ...read })));
  const own = changes.flatMap(subscriptionRows).map((row) => ({ ...row, changedId: row.instanceId }));
  const subscriptions = [...own, ...childSubscriptionRows(advances)];
  const clears = advances.filter(({ clears }) => clears).map(({ instanceId: id }) => ({ id }));
  const outgoing = outboxRows(advances);
  const children = childRows(advances);
  const hasMore = [reads, subscriptions, clears, outgoing, children].some(({ length }) => length > 0);
  const [outcome] = await runner.all(connection, hasMore ? batchWithMore : plainBatch, {
    created: creates.length,
    held: advances.length,
    ...(hasMore && {
      ...arrays(READS, reads),
      ...arrays(SUBSCRIPTIONS, subscriptions),
      ...arrays(CLEARS, clears),
      ...arrays(OUTGOING, outgoing),
      ...arrays(CHILDREN, children),
    }),
    ...arrays(
      CREATES,
      inLockOrder(creates, ({ id }) => id),
    ),
    ...arrays(PATCHES, advances.flatMap(patchRow)),
    ...arrays(HOLDS, advances.map(holdRow)),
    ...arrays(
      EVENTS,
      advances.flatMap((advance) => eventsOf(advance).map((event) => eventRow(advance.instanceId, event))),
    ),
  });
  const created = idsIn(outcome?.created);
  const advanced = idsIn(outcome?.held);
  const results: ChangeResult[] = [];
  for (const change of changes) results.push(applied(change) ?? (await refused(change)));
  return results;

  function applied(change: Create | Advance): ChangeResult | undefined {
    if (change.type === "advance")
      return advanced?.has(change.instanceId) === false ? undefined : appliedResult(change);
    // Of two creations of one id in a batch the first one counts.
    return created?.delete(change.instance.id) === false ? undefined : { type: "applied" };
  }

  function refused(change: Create | Advance): Promise<ChangeResult> {
    return change.type === "advance"
      ? refusalOf(runner.on(connection), change)
      : existing(runner.on(connection), change.instance.id);
  }
}

/** `undefined` for all of them. */
function idsIn(list: string | null | undefined): Set<string> | undefined {
  return list ? new Set(JSON.parse(list) as string[]) : undefined;
}
