import { $, $int, $list, sql } from "../sql.ts";
import { type Statement, statement } from "../statement.ts";
import { deleteOldest } from "./delete-oldest.ts";

/** The channel's mode is what it says, unless it has one. */
export const addChannel: Statement<"channel" | "mode"> = statement(
  "channels.insert",
  (d) => sql`
  insert ${d.insertIgnore.before} into romancy_channels (name, mode) values (${$("channel")}, ${$("mode")})
  ${d.insertIgnore.after}`,
);

interface ModeRow {
  readonly mode: string;
}

/** Locked, so that of two that subscribe at once in different modes one sees the other. */
export const lockMode: Statement<"channel", ModeRow> = statement(
  "channels.lockMode",
  (d) => sql`select mode from romancy_channels where name = ${$("channel")} ${d.lockRow}`,
);

/** The same for several, in the order of their names. */
export const lockModes: Statement<"channels", ModeRow> = statement(
  "channels.lockModes",
  (d) => sql`
  select mode from romancy_channels where ${d.isOneOf("name", $list("channels"))} order by name ${d.lockRow}`,
);

export const modeOf: Statement<"channel", ModeRow> = statement(
  "channels.modeOf",
  () => sql`select mode from romancy_channels where name = ${$("channel")}`,
);

/** Those of the channels whose messages go to all who subscribe. */
export const broadcastsAmong: Statement<"channels", { readonly name: string }> = statement(
  "channels.broadcasts",
  (d) => sql`
  select name from romancy_channels where ${d.isOneOf("name", $list("channels"))} and mode = 'broadcast'`,
);

export const setMode: Statement<"channel" | "mode"> = statement(
  "channels.setMode",
  () => sql`update romancy_channels set mode = ${$("mode")} where name = ${$("channel")}`,
);

/** A row when the channel is in use: by subscribers, or by messages that are to be taken by one. */
export const channelUse: Statement<"channel", { readonly found: number }> = statement(
  "channels.use",
  () => sql`
  select 1 as found from romancy_channels
  where name = ${$("channel")} and (
    exists (select 1 from romancy_channel_subscriptions s where s.channel = ${$("channel")} and s.mode <> 'direct')
    or (mode = 'competing'
        and exists (select 1 from romancy_channel_messages m where m.channel = ${$("channel")} and m.taken_at is null)))`,
);

export const subscribeToChannel: Statement<"channel" | "instanceId" | "mode"> = statement(
  "channelSubscriptions.insert",
  (d) => sql`
  insert ${d.insertIgnore.before} into romancy_channel_subscriptions (channel, instance_id, mode)
  values (${$("channel")}, ${$("instanceId")}, ${$("mode")}) ${d.insertIgnore.after}`,
);

/** How those of the instances that have subscribed to the channel have. */
export const subscriptionModes: Statement<"channel" | "ids", ModeRow & { readonly instance_id: string }> = statement(
  "channelSubscriptions.modes",
  (d) => sql`
  select instance_id, mode from romancy_channel_subscriptions
  where channel = ${$("channel")} and ${d.isOneOf("instance_id", $list("ids"))}`,
);

export const unsubscribeFromChannel: Statement<"channel" | "instanceId"> = statement(
  "channelSubscriptions.delete",
  () => sql`
  delete from romancy_channel_subscriptions where channel = ${$("channel")} and instance_id = ${$("instanceId")}`,
);

export const unsubscribeFromChannels: Statement<"instanceId"> = statement(
  "channelSubscriptions.deleteOf",
  () => sql`delete from romancy_channel_subscriptions where instance_id = ${$("instanceId")}`,
);

/** The competing channels that the instance has subscribed to. */
export const competingOf: Statement<"instanceId", { readonly channel: string }> = statement(
  "channelSubscriptions.competingOf",
  () => sql`
  select channel from romancy_channel_subscriptions
  where instance_id = ${$("instanceId")} and mode = 'competing'`,
);

/** Those who get every message of the channel. */
export const listeners: Statement<"channel", { readonly instance_id: string }> = statement(
  "channelSubscriptions.listeners",
  () => sql`
  select instance_id from romancy_channel_subscriptions where channel = ${$("channel")} and mode = 'broadcast'`,
);

/** Notes since when subscribers wait, or with `null` that they do not; who has waited longer keeps its place. */
export const noteWaiting: Statement<"channel" | "ids" | "since"> = statement(
  "channelSubscriptions.wait",
  (d) => sql`
  update romancy_channel_subscriptions
  set waiting_since = case when ${$int("since")} is null then null else coalesce(waiting_since, ${$int("since")}) end
  where channel = ${$("channel")} and ${d.isOneOf("instance_id", $list("ids"))} and mode = 'competing'`,
);

/** Those who have waited longest. */
export const firstWaiting: Statement<"channel" | "limit", { readonly instance_id: string }> = statement(
  "channelSubscriptions.firstWaiting",
  () => sql`
  select instance_id from romancy_channel_subscriptions
  where channel = ${$("channel")} and waiting_since is not null order by waiting_since limit ${$int("limit")}`,
);

/**
 * The same of those whose instances nobody writes at this moment. These lock their own rows before their subscriptions:
 * who waited for them with a subscription locked would have them wait for each other.
 */
export const longestWaiting: Statement<"channel" | "limit", { readonly instance_id: string }> = statement(
  "channelSubscriptions.longestWaiting",
  (d) => sql`
  select s.instance_id from romancy_channel_subscriptions s join romancy_instances i on i.id = s.instance_id
  where s.channel = ${$("channel")} and s.waiting_since is not null
  order by s.waiting_since limit ${$int("limit")} ${d.skipLocked}`,
);

type NewMessage = "fingerprint" | "channel" | "attributes" | "data" | "at";

/** One that is there already is not put in again. */
export const keepMessage: Statement<NewMessage> = statement(
  "channelMessages.insert",
  (d) => sql`
  insert ${d.insertIgnore.before} into romancy_channel_messages (id, channel, attributes, data, created_at)
  values (${$("fingerprint")}, ${$("channel")}, ${$("attributes")}, ${$("data")}, ${$int("at")}) ${d.insertIgnore.after}`,
);

export interface KeptMessageRow {
  readonly id: string;
  readonly attributes: string;
  readonly data: string;
}

/** The oldest that nobody is taking at this moment. */
export const oldestMessages: Statement<"channel" | "limit", KeptMessageRow> = statement(
  "channelMessages.oldest",
  (d) => sql`
  select id, attributes, data from romancy_channel_messages
  where channel = ${$("channel")} and taken_at is null order by position limit ${$int("limit")} ${d.skipLocked}`,
);

/** They stay for a while, without their data, so that no copies of them are put in again. */
export const takeMessages: Statement<"ids" | "at"> = statement(
  "channelMessages.take",
  (d) => sql`
  update romancy_channel_messages set taken_at = ${$int("at")}, data = '' where ${d.isOneOf("id", $list("ids"))}`,
);

/** How many there are to be taken, up to the limit. */
export const openMessages: Statement<"channel" | "limit", { readonly n: number }> = statement(
  "channelMessages.count",
  () => sql`
  select count(*) as n from (
    select 1 as one from romancy_channel_messages
    where channel = ${$("channel")} and taken_at is null limit ${$int("limit")}) as open`,
);

/** Which of the channels have messages that are to be taken. */
export const channelsWithMessages: Statement<"channels", { readonly channel: string }> = statement(
  "channelMessages.among",
  (d) => sql`
  select name as channel from romancy_channels
  where ${d.isOneOf("name", $list("channels"))}
    and exists (select 1 from romancy_channel_messages m where m.channel = name and m.taken_at is null)`,
);

/** Competing channels with messages for which somebody waits; a crash may have kept them apart. */
export const stalledChannels: Statement<"limit", { readonly channel: string }> = statement(
  "channels.stalled",
  () => sql`
  select name as channel from romancy_channels
  where mode = 'competing'
    and exists (select 1 from romancy_channel_messages m where m.channel = name and m.taken_at is null)
    and exists (select 1 from romancy_channel_subscriptions s where s.channel = name and s.waiting_since is not null)
  limit ${$int("limit")}`,
);

/** Taken messages that are old enough. */
export const forgetTaken: Statement<"before" | "limit"> = statement("channelMessages.forgetTaken", (d) =>
  deleteOldest(d, "romancy_channel_messages", sql`taken_at < ${$int("before")}`, "taken_at"),
);

/** Messages that nobody is to take, because no competing subscriber has come. */
export const forgetUnclaimed: Statement<"before" | "limit"> = statement("channelMessages.forgetUnclaimed", (d) =>
  deleteOldest(
    d,
    "romancy_channel_messages",
    sql`taken_at is null and created_at < ${$int("before")}
      and not exists (select 1 from romancy_channels c where c.name = channel and c.mode = 'competing')`,
    "created_at",
  ),
);
