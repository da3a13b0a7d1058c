/** Messages on their way: into inboxes, or kept until one of competing subscribers takes them. */
import type { ChannelMessage, Post } from "../../core/action.ts";
import type { ChangeResult, Deliver, NewMessage } from "../../core/commit.ts";
import type { InstanceStatus } from "../../core/status.ts";
import type { Queries } from "../runner.ts";
import { lastOfChain, recurredAmong } from "../statements/chains.ts";
import {
  firstWaiting,
  keepMessage,
  listeners,
  longestWaiting,
  modeOf,
  noteWaiting,
  openMessages,
} from "../statements/channels.ts";
import { membersOf } from "../statements/groups.ts";
import { instanceById } from "../statements/instances.ts";
import { put, raise, subscribers } from "../statements/messages.ts";

export type Delivered = Extract<ChangeResult, { type: "delivered" | "undeliverable" }>;

/** What became of a message of a batch. */
export interface Mailed {
  readonly receivers: number;
  /** Instances that it was for and that did not take it: they have ended, or gone on as others. */
  readonly missed: readonly string[];
}

/** Receivers in one statement. */
const CHUNK = 1_000;

/** To all that hear of it, or to one. */
export async function deliver(queries: Queries, { instanceId, message }: Deliver): Promise<Delivered> {
  if (instanceId !== undefined) return send(queries, instanceId, message);
  const { type, key } = message;
  const rows = await queries.all(subscribers, { type, key: key ?? "" });
  return deliverTo(queries, idsOf(rows), message);
}

/** A message on its way to instances. */
export type Letter = Exclude<Post, { readonly type: "emit" }>;

/** What an activity or a workflow has sent to instances. */
export function post(queries: Queries, posted: Letter): Promise<Delivered> {
  switch (posted.type) {
    case "publish":
      return publish(queries, posted.message);
    case "send":
      return send(queries, posted.instanceId, inboxMessage(posted.message));
    case "publish_to_group":
      return publishToGroup(queries, posted.group, posted.message);
  }
}

/** The channel of what was published to nobody: who began to wait at this moment was not seen. */
export function unheardOf(posted: Letter, receivers: number): string | undefined {
  return posted.type === "publish" && receivers === 0 ? posted.message.channel : undefined;
}

/** To all subscribers of a broadcast channel; else it is kept, and one of those who wait is called. */
export async function publish(queries: Queries, message: ChannelMessage): Promise<Delivered> {
  const { channel, at, attributes } = message;
  const [row] = await queries.all(modeOf, { channel });
  if (row?.mode === "broadcast") {
    return deliverTo(queries, idsOf(await queries.all(listeners, { channel })), inboxMessage(message));
  }
  const { fingerprint, data } = message;
  await queries.run(keepMessage, { channel, at, fingerprint, data, attributes: JSON.stringify(attributes) });
  return { type: "delivered", receivers: row ? await callWaiting(queries, channel, at, 1) : 0 };
}

/** Those whom `rouse` will call, who are locked before: so nobody is left out for being written at this moment. */
export async function toBeRoused(queries: Queries, channel: string, most: number): Promise<string[]> {
  const [row] = await queries.all(openMessages, { channel, limit: most });
  return row && row.n > 0 ? idsOf(await queries.all(firstWaiting, { channel, limit: row.n })) : [];
}

/** Calls as many of those who wait as there are messages; tells how many. */
export async function rouse(queries: Queries, channel: string, at: number, limit: number): Promise<number> {
  const [row] = await queries.all(openMessages, { channel, limit });
  return callWaiting(queries, channel, at, row?.n ?? 0);
}

/** A subscriber of these competing channels takes nothing now: what it may have been called for goes to another. */
export async function passOn(
  queries: Queries,
  channels: readonly { readonly channel: string }[],
  at: number,
): Promise<number> {
  let called = 0;
  for (const { channel } of channels) called += await rouse(queries, channel, at, 1);
  return called;
}

/** Of the instances that messages are for, those whose rows will be changed, as far as that is known before. */
export async function receiversOf(queries: Queries, posted: Letter): Promise<string[]> {
  switch (posted.type) {
    case "publish":
      return idsOf(await queries.all(listeners, { channel: posted.message.channel }));
    case "send":
      return [posted.instanceId];
    case "publish_to_group":
      return idsOf(await queries.all(membersOf, { group: posted.group }));
  }
}

async function publishToGroup(queries: Queries, group: string, message: ChannelMessage): Promise<Delivered> {
  return deliverTo(queries, idsOf(await queries.all(membersOf, { group })), inboxMessage(message));
}

/** To one instance, or to the one that it went on as; that one may go on too before its row is locked. */
async function send(queries: Queries, instanceId: string, message: NewMessage): Promise<Delivered> {
  for (let id = instanceId; ; ) {
    if ((await putInto(queries, [id], message)) > 0) return { type: "delivered", receivers: 1 };
    const [row] = await queries.all(instanceById, { id });
    const status = row?.status as InstanceStatus | undefined;
    if (status !== "recurred") return { type: "undeliverable", instanceId, status };
    const [last] = await queries.all(lastOfChain, { id });
    id = last?.instance_id ?? id;
  }
}

/** To all of them that have not ended; one that went on while they were looked up gets it as what it is by now. */
async function deliverTo(queries: Queries, to: readonly string[], message: NewMessage): Promise<Delivered> {
  let receivers = 0;
  for (let first = 0; first < to.length; first += CHUNK) {
    const ids = to.slice(first, first + CHUNK);
    const reached = await putInto(queries, ids, message);
    receivers += reached;
    for (const { id } of reached === ids.length ? [] : await queries.all(recurredAmong, { ids })) {
      const result = await send(queries, id, message);
      if (result.type === "delivered") receivers += result.receivers;
    }
  }
  return { type: "delivered", receivers };
}

/** Tells how many of them take messages still. */
async function putInto(queries: Queries, ids: readonly string[], message: NewMessage): Promise<number> {
  const { at, attributes } = message;
  const raised = await queries.run(raise, { ids, at });
  if (raised > 0) await queries.run(put, { ...message, attributes: JSON.stringify(attributes), ids });
  return raised;
}

/** Calls so many at most of those who have waited longest; tells how many. */
export async function callWaiting(queries: Queries, channel: string, at: number, limit: number): Promise<number> {
  if (limit === 0) return 0;
  const ids = idsOf(await queries.all(longestWaiting, { channel, limit }));
  if (ids.length === 0) return 0;
  await queries.run(noteWaiting, { channel, ids, since: null });
  await queries.run(raise, { ids, at });
  return ids.length;
}

/** As it lies in an inbox, under its channel. Its attributes tell it from an event of that type. */
export function inboxMessage({ channel, fingerprint, attributes, data, at }: ChannelMessage): NewMessage {
  return { type: channel, key: null, fingerprint, attributes, data, at };
}

function idsOf(rows: readonly { readonly instance_id: string }[]): string[] {
  return rows.map(({ instance_id: id }) => id);
}
