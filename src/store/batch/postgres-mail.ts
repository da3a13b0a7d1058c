/** Messages from outside of instances, all of a batch in one statement on PostgreSQL. */
import type { Deliver, NewMessage, Publish } from "../../core/commit.ts";
import type { Connection } from "../database.ts";
import type { Runner } from "../runner.ts";
import { sql } from "../sql.ts";
import { type Statement, statement } from "../statement.ts";
import { arrays, type List, rows } from "./lists.ts";
import { inboxMessage, type Mailed } from "./mail.ts";

const MAIL: List = [
  "mail",
  {
    n: "bigint",
    /** `event` to all that hear of it, `send` to one instance, `publish` to a channel. */
    route: "text",
    target: "text",
    type: "text",
    key: "text",
    fingerprint: "text",
    attributes: "text",
    data: "text",
    at: "bigint",
  },
];

/**
 * One message in one inbox; or, without its number, one instance that was called to take a kept one; or an instance that
 * does not take the message, because it has ended or gone on as another.
 */
interface Delivery {
  readonly n: number | null;
  readonly channel: string | null;
  readonly missed: string | null;
}

/** Those of a channel's subscribers that are looked at when some are called. */
const CALLED_AMONG = 100;

/**
 * Places in an inbox count on from the deliveries so far, in the order of the batch. The instances are locked in the order
 * of their ids, so that two batches do not wait for each other; those who are called, and their subscriptions, only where
 * nobody else has them, for whoever takes a message locks its own row first. An instance gets its deliveries and calls in
 * one update, since a statement changes a row once.
 */
const mailBatch: Statement<string, Delivery> = statement(
  "mailBatch",
  () => sql`
  with mail as materialized (select * from ${rows(MAIL)}),
  heard as (
    select mail.n, s.instance_id from mail
    join romancy_subscriptions s on s.type = mail.type and s.message_key in ('', mail.key)
    where mail.route = 'event'
    union select n, target from mail where route = 'send'
    union select mail.n, s.instance_id from mail
    join romancy_channels c on c.name = mail.type and c.mode = 'broadcast'
    join romancy_channel_subscriptions s on s.channel = c.name and s.mode = 'broadcast'
    where mail.route = 'publish'),
  kept as (
    insert into romancy_channel_messages (id, channel, attributes, data, created_at)
    select fingerprint, type, attributes, data, at from mail
    where route = 'publish'
      and not exists (select 1 from romancy_channels c where c.name = mail.type and c.mode = 'broadcast')
    order by n on conflict do nothing returning channel),
  waiting as (
    select kept.channel, w.instance_id, w.place, count(*) as wanted from kept cross join lateral (
      select instance_id, row_number() over (order by waiting_since) as place from (
        select instance_id, waiting_since from romancy_channel_subscriptions
        where channel = kept.channel and waiting_since is not null
        order by waiting_since limit ${String(CALLED_AMONG)}) as first) as w
    group by kept.channel, w.instance_id, w.place),
  called as (
    select s.channel, s.instance_id from romancy_channel_subscriptions s
    join waiting on waiting.channel = s.channel and waiting.instance_id = s.instance_id
    join romancy_instances i on i.id = s.instance_id
    where waiting.place <= waiting.wanted and s.waiting_since is not null
    for no key update of i skip locked for update of s skip locked),
  woken as (
    update romancy_channel_subscriptions s set waiting_since = null from called
    where s.channel = called.channel and s.instance_id = called.instance_id),
  held as (
    select id, signals from romancy_instances
    where id in (select instance_id from heard union select instance_id from called) and completed_at is null
    order by id for no key update),
  placed as (
    select heard.n, held.id, held.signals + row_number() over (partition by held.id order by heard.n) as position
    from heard join held on held.id = heard.instance_id),
  put as (
    insert into romancy_inbox (instance_id, position, type, message_key, fingerprint, attributes, data, created_at)
    select placed.id, placed.position, mail.type, mail.key, mail.fingerprint, mail.attributes, mail.data, mail.at
    from placed join mail on mail.n = placed.n on conflict do nothing),
  raises as (
    select id, count(*) as times, (select max(at) from mail) as at
    from (select id from placed union all select called.instance_id from called join held on held.id = called.instance_id) r
    group by id),
  raised as (
    update romancy_instances i
    set signals = i.signals + raises.times,
        wake_at = case when i.status = 'blocked' then i.wake_at else least(i.wake_at, raises.at) end
    from raises where i.id = raises.id)
  select n, null as channel, null as missed from placed
  union all select null, channel, null from called
  union all select heard.n, null, heard.instance_id from heard left join held on held.id = heard.instance_id
    where held.id is null`,
  true,
);

/** Applies the changes in one statement: a transaction of its own, or part of one. */
export async function mailOnPostgres(
  connection: Connection,
  runner: Runner,
  changes: readonly (Deliver | Publish)[],
): Promise<Mailed[]> {
  const deliveries = await runner.all(connection, mailBatch, arrays(MAIL, changes.map(mailRow)));
  const received = new Map<number, number>();
  const called = new Map<string, number>();
  const missed = new Map<number, string[]>();
  for (const { n, channel, missed: id } of deliveries) {
    if (channel !== null) called.set(channel, (called.get(channel) ?? 0) + 1);
    else if (n !== null && id === null) received.set(n, (received.get(n) ?? 0) + 1);
    else if (n !== null && id !== null) missed.set(n, [...(missed.get(n) ?? []), id]);
  }
  return changes.map((change, n) => ({
    receivers: received.get(n) ?? (change.type === "publish" ? take(called, change.message.channel) : 0),
    missed: missed.get(n) ?? [],
  }));
}

/** Of several messages of one channel as many have been called for as there were who waited. */
function take(called: Map<string, number>, channel: string): number {
  const left = called.get(channel) ?? 0;
  called.set(channel, left - 1);
  return left > 0 ? 1 : 0;
}

type Row = Readonly<Record<string, string | number | null>>;

function mailRow(change: Deliver | Publish, n: number): Row {
  if (change.type === "publish") return rowOf(n, "publish", null, inboxMessage(change.message));
  const { instanceId = null, message } = change;
  return rowOf(n, instanceId === null ? "event" : "send", instanceId, message);
}

function rowOf(n: number, route: string, target: string | null, message: NewMessage): Row {
  const { type, key, fingerprint, attributes, data, at } = message;
  return { n, route, target, type, key, fingerprint, attributes: JSON.stringify(attributes), data, at };
}
