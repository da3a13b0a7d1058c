/**
 * A batch as one transaction in one round trip on MySQL and MariaDB. It is all or nothing: the first of its statements
 * fails unless every advance is still its committer's, an insert when an id exists; then the committer finds out which.
 */
import type { Advance, ChangeResult, Create } from "../../core/commit.ts";
import type { Text, Together } from "../database.ts";
import type { Dialect } from "../dialect.ts";
import { eventRow, newRow, patchRow, subscriptionRows } from "../rows.ts";
import { appliedResult, childRows, childSubscriptionRows, eventsOf, holdRow, outboxRows } from "./foreseen.ts";
import { inLockOrder } from "./lock-order.ts";
import { partsOf, type Row, table, tuples } from "./mysql-rows.ts";

/** Applies the changes together; rejects when one of them does not apply. */
export async function applyOnMysql(
  together: Together,
  dialect: Dialect,
  changes: readonly (Create | Advance)[],
): Promise<ChangeResult[]> {
  const creates = changes.filter((change) => change.type === "create").map(({ instance }) => newRow(instance));
  const advances = inLockOrder(
    changes.filter((change) => change.type === "advance"),
    ({ instanceId }) => instanceId,
  );
  const events = advances.flatMap((advance) =>
    eventsOf(advance).map((event) => eventRow(advance.instanceId, event) as Row),
  );
  const statements: Text[] = [];
  if (advances.length > 0) statements.push(hold(advances, dialect));
  for (const part of partsOf(events)) statements.push(insertEvents(part));
  for (const part of partsOf(outboxRows(advances))) statements.push(putOut(part, dialect.now));
  const patches = advances.flatMap(patchRow);
  if (patches.length > 0) statements.push(update(patches, dialect));
  if (creates.length > 0) statements.push(insertInstances(inLockOrder(creates, ({ id }) => id)));
  for (const part of partsOf(inLockOrder(childRows(advances), ({ id }) => id)))
    statements.push(insertChildren(part, dialect));
  statements.push(...mailOf(changes, advances, dialect));
  await together(statements);
  return changes.map((change) => (change.type === "advance" ? appliedResult(change) : { type: "applied" }));
}

/** What concerns instances' mail. */
function mailOf(changes: readonly (Create | Advance)[], advances: readonly Advance[], dialect: Dialect): Text[] {
  const statements: Text[] = [];
  const reads = advances.flatMap(({ instanceId, reads = [] }) => reads.map((read): Row => ({ instanceId, ...read })));
  if (reads.length > 0) {
    const list = table(["instanceId", "position", "at"], reads, dialect);
    statements.push({
      text: `update ${list.text} as seen straight_join romancy_inbox b
        on b.instance_id = seen.instanceId and b.position = seen.position
        set b.read_at = seen.at, b.data = ''`,
      values: list.values,
    });
  }
  const subscriptions: readonly Row[] = [...changes.flatMap(subscriptionRows), ...childSubscriptionRows(advances)];
  for (const part of partsOf(subscriptions)) {
    const list = tuples(["instanceId", "type", "key"], part);
    const text = `insert ignore into romancy_subscriptions (instance_id, type, message_key) values ${list.text}`;
    statements.push({ text, values: list.values });
  }
  const ended = advances.filter(({ clears }) => clears).map(({ instanceId }) => instanceId);
  for (const of of ended.length > 0 ? MAIL : []) {
    const places = ended.map(() => "?").join(", ");
    statements.push({ text: `delete from ${of} where instance_id in (${places})`, values: ended });
  }
  return statements;
}

/** Where the mail of instances is. */
const MAIL = ["romancy_subscriptions", "romancy_channel_subscriptions", "romancy_groups", "romancy_inbox"];

/** Locks the advances' rows; adding 1 to the largest number is an error, on purpose, when one of them is missing. */
function hold(advances: readonly Advance[], dialect: Dialect): Text {
  const rows = advances.map(holdRow);
  const list = table(["id", "epoch", "open", "heedless"], rows, dialect);
  return {
    text: `select 18446744073709551615 + (count(*) <> ${rows.length}) from ${list.text} as hold
      straight_join romancy_instances i
      on i.id = hold.id and i.epoch = hold.epoch and (hold.open = 0 or i.completed_at is null)
        and (hold.heedless = 0 or i.cancel_requested_at is null) for update`,
    values: list.values,
  };
}

function insertEvents(events: readonly Row[]): Text {
  const list = tuples(["instanceId", "seq", "kind", "operationId", "data", "at"], events);
  return {
    text: `insert into romancy_history (instance_id, seq, kind, operation_id, data, at) values ${list.text}`,
    values: list.values,
  };
}

/** Due at once, by the database's clock. */
function putOut(outgoing: readonly Row[], now: string): Text {
  const columns = ["instanceId", "id", "attributes", "body", "isBinary", "at", "at"];
  const list = tuples(columns, outgoing, now);
  return {
    text: `insert into romancy_outbox (instance_id, id, attributes, body, is_binary, queued_at, created_at, next_at)
      values ${list.text}`,
    values: list.values,
  };
}

/** The columns that are read come before their own assignments: MySQL assigns from left to right. */
function update(patches: readonly Row[], dialect: Dialect): Text {
  const columns = ["id", "event", "status", "output", "error", "compensationErrors", "wakeAt", "signals", "at"];
  const list = table(columns, patches, dialect);
  return {
    text: `update ${list.text} as patch straight_join romancy_instances i on i.id = patch.id
      set i.status = coalesce(patch.status, i.status), i.output = coalesce(patch.output, i.output),
          i.error = patch.error, i.compensation_errors = patch.compensationErrors,
          i.worker_id = case when patch.event in ('progress', 'compensate') then i.worker_id end,
          i.wake_at = case when patch.event in ('progress', 'compensate') then i.wake_at when patch.event = 'suspend'
            then case when i.signals <> patch.signals then patch.at else patch.wakeAt end end,
          i.updated_at = patch.at,
          i.completed_at = case when patch.event in ('complete', 'fail', 'cancel') then patch.at end,
          i.recoveries = 0`,
    values: list.values,
  };
}

function insertInstances(creates: readonly Row[]): Text {
  const columns = [
    "id",
    "workflow",
    "status",
    "input",
    "id",
    "tags",
    "priority",
    "version",
    "traceContext",
    "wakeAt",
    "workerId",
    "epoch",
    "at",
    "at",
  ];
  const list = tuples(columns, creates);
  return {
    text: `insert into romancy_instances
      (id, workflow, status, input, root_id, tags, priority, version, trace_context, wake_at, worker_id, epoch,
       created_at, updated_at)
      values ${list.text}`,
    values: list.values,
  };
}

function insertChildren(children: readonly Row[], dialect: Dialect): Text {
  const columns = [
    "id",
    "workflow",
    "input",
    "parentId",
    "tags",
    "priority",
    "version",
    "traceContext",
    "wakeAt",
    "detached",
    "awaited",
    "at",
  ];
  const list = table(columns, children, dialect);
  return {
    text: `insert into romancy_instances
      (id, workflow, status, input, parent_id, root_id, tags, priority, version, trace_context, wake_at, epoch,
       detached, awaited, created_at, updated_at)
      select child.id, child.workflow, 'pending', child.input, child.parentId, parent.root_id, child.tags, child.priority,
        child.version, child.traceContext, child.wakeAt, 0, child.detached, child.awaited, child.at, child.at
      from ${list.text} as child straight_join romancy_instances parent on parent.id = child.parentId`,
    values: list.values,
  };
}
