/** Messages from outside of instances, all of a batch in one round trip on MySQL and MariaDB. */
import type { Deliver, NewMessage, Publish } from "../../core/commit.ts";
import type { Text, Together } from "../database.ts";
import type { Dialect } from "../dialect.ts";
import type { SqlValue } from "../sql.ts";
import { inboxMessage, type Mailed } from "./mail.ts";
import { partsOf, type Row, table } from "./mysql-rows.ts";

/** Statements, and which of their counts of changed rows tell who has received the message. */
interface Delivery {
  readonly statements: readonly Text[];
  readonly counts: readonly number[];
}

/** Applies the changes together. */
export async function mailOnMysql(together: Together, changes: readonly (Deliver | Publish)[]): Promise<Mailed[]> {
  const deliveries = changes.map(deliveryOf);
  const statements = [hold(changes), ...deliveries.flatMap((delivery) => delivery.statements)];
  const changed = await together(statements);
  let first = 1;
  return changes.map((change, index) => {
    const { statements: own, counts } = deliveries[index] as Delivery;
    const receivers = counts.reduce((sum, count) => sum + (changed[first + count] ?? 0), 0);
    first += own.length;
    const target = change.type === "deliver" && receivers === 0 ? change.instanceId : undefined;
    return { receivers, missed: target === undefined ? [] : [target] };
  });
}

/**
 * Locks all receivers, in the order of their ids, as all do who lock several: each message by itself would come to them
 * in an order of its own, and wait for who waits for it. The limit, which is none, keeps the order.
 */
function hold(changes: readonly (Deliver | Publish)[]): Text {
  const receivers = changes.map(receiversOf);
  return {
    text: `select count(i.id) from (
        select id from (${receivers.map(({ text }) => text).join(" union ")}) as every order by id limit 18446744073709551615
      ) as r straight_join romancy_instances i on i.id = r.id for update`,
    values: receivers.flatMap(({ values }) => values),
  };
}

/** Whose inboxes the message is for, by what is known before any row is locked. */
function receiversOf(change: Deliver | Publish): Text {
  if (change.type === "publish") return { text: LISTENING, values: [change.message.channel] };
  const { instanceId, message } = change;
  if (instanceId !== undefined) return { text: "select ? as id", values: [instanceId] };
  return { text: HEARING, values: [message.type, message.key ?? ""] };
}

const HEARING =
  "select distinct instance_id as id from romancy_subscriptions s where type = ? and message_key in ('', ?)";

const LISTENING = `select s.instance_id as id from romancy_channels c
  join romancy_channel_subscriptions s on s.channel = c.name and s.mode = 'broadcast'
  where c.name = ? and c.mode = 'broadcast'`;

function deliveryOf(change: Deliver | Publish): Delivery {
  if (change.type === "publish") return publish(change);
  const { text, values } = receiversOf(change);
  const { instanceId, message } = change;
  if (instanceId !== undefined) return putInto(text, values, message);
  return twice(
    putInto(text, values, message),
    putInto(`${text} and ${HAS_NOT}`, [...values, message.fingerprint], message),
  );
}

const RAISE = `i.signals = i.signals + 1,
  i.wake_at = case when i.wake_at <= ? or i.status = 'blocked' then i.wake_at else ? end`;

/** Raises the counts of deliveries, which are also the places in the inboxes; then puts the message there. */
function putInto(receivers: string, params: readonly SqlValue[], message: NewMessage): Delivery {
  const { type, key, fingerprint, attributes, data, at } = message;
  const raise: Text = {
    text: `update (${receivers}) as r straight_join romancy_instances i on i.id = r.id
      set ${RAISE} where i.completed_at is null`,
    values: [...params, at, at],
  };
  const put: Text = {
    text: `insert ignore into romancy_inbox
      (instance_id, position, type, message_key, fingerprint, attributes, data, created_at)
      select i.id, i.signals, ?, ?, ?, ?, ?, ? from (${receivers}) as r straight_join romancy_instances i on i.id = r.id
      where i.completed_at is null`,
    values: [type, key, fingerprint, JSON.stringify(attributes), data, at, ...params],
  };
  return { statements: [raise, put], counts: [0] };
}

/** Whether a subscriber lacks the message. */
const HAS_NOT = `not exists (
  select 1 from romancy_inbox b where b.instance_id = s.instance_id and b.fingerprint = ?)`;

/** The second time it reaches those who went on as others while the first one waited for their rows. */
function twice(first: Delivery, second: Delivery): Delivery {
  return { statements: [...first.statements, ...second.statements], counts: [0, first.statements.length] };
}

/** To all subscribers if it is a broadcast channel; else it is kept, and who has waited longest is called. */
function publish({ message }: Publish): Delivery {
  const { channel, fingerprint, attributes, data, at } = message;
  const inbox = inboxMessage(message);
  const { statements, counts } = twice(
    putInto(LISTENING, [channel], inbox),
    putInto(`${LISTENING} and ${HAS_NOT}`, [channel, fingerprint], inbox),
  );
  const keep: Text = {
    text: `insert ignore into romancy_channel_messages (id, channel, attributes, data, created_at)
      select ?, ?, ?, ?, ? from (select 1) as one
      where not exists (select 1 from romancy_channels where name = ? and mode = 'broadcast')`,
    values: [fingerprint, channel, JSON.stringify(attributes), data, at, channel],
  };
  // A variable that nothing is found for keeps what it held.
  const forget: Text = { text: "set @romancy_called = null", values: [] };
  const find: Text = {
    text: `select instance_id into @romancy_called from romancy_channel_subscriptions
      where channel = ? and waiting_since is not null order by waiting_since limit 1 for update skip locked`,
    values: [channel],
  };
  const wake: Text = {
    text: `update romancy_channel_subscriptions set waiting_since = null where channel = ? and instance_id = @romancy_called`,
    values: [channel],
  };
  const call: Text = {
    text: `update romancy_instances i set ${RAISE} where i.id = @romancy_called and i.completed_at is null`,
    values: [at, at],
  };
  const all = [...statements, keep, forget, find, wake, call];
  return { statements: all, counts: [...counts, all.length - 1] };
}

/** Messages to single instances, whose rows are held, and which have not ended: all raised and put in two statements. */
export async function putOnMysql(together: Together, dialect: Dialect, messages: readonly Deliver[]): Promise<void> {
  const raises = new Map<string, { id: string; times: number; at: number }>();
  const rows = messages.toReversed().map(({ instanceId: id = "", message }): Row => {
    const raise = raises.get(id) ?? { id, times: 0, at: message.at };
    raises.set(id, { id, times: raise.times + 1, at: Math.max(raise.at, message.at) });
    // Places count on from the deliveries so far, in the order of the messages.
    return {
      ...message,
      message_key: message.key,
      id,
      later: raise.times,
      attributes: JSON.stringify(message.attributes),
    };
  });
  const raised = table(["id", "times", "at"], [...raises.values()], dialect);
  const statements: Text[] = [
    {
      text: `update ${raised.text} as r straight_join romancy_instances i on i.id = r.id
        set i.signals = i.signals + r.times,
          i.wake_at = case when i.wake_at <= r.at or i.status = 'blocked' then i.wake_at else r.at end
        where i.completed_at is null`,
      values: raised.values,
    },
  ];
  for (const part of partsOf(rows)) {
    const list = table(
      ["id", "later", "type", "message_key", "fingerprint", "attributes", "data", "at"],
      part,
      dialect,
    );
    statements.push({
      text: `insert ignore into romancy_inbox
        (instance_id, position, type, message_key, fingerprint, attributes, data, created_at)
        select i.id, i.signals - m.later, m.type, m.message_key, m.fingerprint, m.attributes, m.data, m.at
        from ${list.text} as m straight_join romancy_instances i on i.id = m.id
        where i.completed_at is null`,
      values: list.values,
    });
  }
  await together(statements);
}
