import { $, $int, $list, sql } from "../sql.ts";
import { type Statement, statement } from "../statement.ts";

/** A row of `romancy_inbox` that has not been read. */
export interface MessageRow {
  readonly instance_id: string;
  readonly position: number;
  readonly type: string;
  readonly message_key: string | null;
  readonly attributes: string;
  readonly data: string;
}

export const subscribe: Statement<"instanceId" | "type" | "key"> = statement(
  "subscriptions.insert",
  (d) => sql`
  insert ${d.insertIgnore.before} into romancy_subscriptions (instance_id, type, message_key)
  values (${$("instanceId")}, ${$("type")}, ${$("key")}) ${d.insertIgnore.after}`,
);

/** The instances that hear of the event: those that have subscribed to its type, with its key or any. */
export const subscribers: Statement<"type" | "key", { readonly instance_id: string }> = statement(
  "subscriptions.of",
  () => sql`
  select distinct instance_id from romancy_subscriptions
  where type = ${$("type")} and message_key in ('', ${$("key")})`,
);

/** What was delivered ends with the instance. */
export const emptyInbox: Statement<"instanceId"> = statement(
  "inbox.deleteOf",
  () => sql`delete from romancy_inbox where instance_id = ${$("instanceId")}`,
);

/** Subscriptions end with the instance. */
export const unsubscribeAll: Statement<"instanceId"> = statement(
  "subscriptions.deleteOf",
  () => sql`delete from romancy_subscriptions where instance_id = ${$("instanceId")}`,
);

/**
 * Raises the count of deliveries, which is also the place in the inbox, and makes the instance due (invariant 4), but
 * for one that is blocked: what made it so would again. The rows stay locked until the message is in, so places are
 * never filled out of order.
 */
export const raise: Statement<"ids" | "at"> = statement(
  "inbox.raise",
  (d) => sql`
  update romancy_instances
  set signals = signals + 1,
      wake_at = case when wake_at <= ${$int("at")} or status = 'blocked' then wake_at else ${$int("at")} end
  where ${d.isOneOf("id", $list("ids"))} and completed_at is null`,
);

type NewRow = "ids" | "type" | "key" | "fingerprint" | "attributes" | "data" | "at";

/** Behind `raise`; one that an instance has already is not put in again. */
export const put: Statement<NewRow> = statement(
  "inbox.insert",
  (d) => sql`
  insert ${d.insertIgnore.before} into romancy_inbox
    (instance_id, position, type, message_key, fingerprint, attributes, data, created_at)
  select id, signals, ${$("type")}, ${$("key")}, ${$("fingerprint")}, ${$("attributes")}, ${$("data")}, ${$int("at")}
  from romancy_instances where ${d.isOneOf("id", $list("ids"))} and completed_at is null ${d.insertIgnore.after}`,
);

/** It stays, without its data, so that no copy of it is put in again. */
export const markRead: Statement<"instanceId" | "position" | "at"> = statement(
  "inbox.markRead",
  () => sql`
  update romancy_inbox set read_at = ${$int("at")}, data = ''
  where instance_id = ${$("instanceId")} and position = ${$int("position")}`,
);

/** A page of what the instances have not read, in order, from behind `(afterId, afterPosition)`. */
export const unread: Statement<"ids" | "afterId" | "afterPosition" | "limit", MessageRow> = statement(
  "inbox.unread",
  (d) => sql`
  select instance_id, position, type, message_key, attributes, data from romancy_inbox
  where ${d.isOneOf("instance_id", $list("ids"))} and read_at is null and instance_id >= ${$("afterId")}
    and (instance_id > ${$("afterId")} or position > ${$int("afterPosition")})
  order by instance_id, position limit ${$int("limit")}`,
);

/** The worker's instances that something was delivered to, or asked of, since they were looked at. */
export const called: Statement<"workerId", { readonly id: string }> = statement(
  "inbox.called",
  () => sql`select id from romancy_instances where worker_id = ${$("workerId")} and wake_at is not null`,
);

/** From here on a call is a new one; done before the inbox is read. Locks in the order in which senders do. */
export const answerCall: Statement<"workerId" | "ids"> = statement("inbox.answerCall", (d) => {
  const isCalled = sql`${d.isOneOf("id", $list("ids"))} and worker_id = ${$("workerId")}`;
  return d.name === "mysql"
    ? sql`update romancy_instances set wake_at = null where ${isCalled} order by id`
    : sql`
        update romancy_instances set wake_at = null
        where id in (select id from romancy_instances where ${isCalled} order by id ${d.lockRow})`;
});

/** How often something was delivered to them, or asked of them, and whether they are to be cancelled. */
export const callsOf: Statement<"ids", CallRow> = statement(
  "inbox.calls",
  (d) => sql`
  select id, signals, cancel_requested_at, cancel_reason from romancy_instances
  where ${d.isOneOf("id", $list("ids"))}`,
);

export interface CallRow {
  readonly id: string;
  readonly signals: number;
  readonly cancel_requested_at: number | null;
  readonly cancel_reason: string | null;
}
