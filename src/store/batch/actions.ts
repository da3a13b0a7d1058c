/** What workflows ask the database itself for, within the commit that records it. */
import type { Action, ActionRequest, OutgoingEvent, Rejoin } from "../../core/action.ts";
import { encode, encodeThrown } from "../../core/codec.ts";
import { ChannelModeConflictError, notCancellable, undeliverable } from "../../core/errors.ts";
import type { ChannelMode, NewEvent } from "../../core/history.ts";
import type { Queries } from "../runner.ts";
import {
  addChannel,
  channelUse,
  lockMode,
  setMode,
  subscribeToChannel,
  subscriptionModes,
  unsubscribeFromChannel,
} from "../statements/channels.ts";
import { joinGroup, leaveGroup, membersOf } from "../statements/groups.ts";
import { subscribe as subscribeToEvents } from "../statements/messages.ts";
import { insertEvent, outboxRow } from "../statements/outbox.ts";
import type { Answer } from "./answer.ts";
import { awaitChild, startChild, undoChild } from "./children.ts";
import { post, rouse, unheardOf } from "./mail.ts";
import { answerTo } from "./receives.ts";
import { cancel } from "./requests.ts";

/** Does what the instance asks for. */
export async function runAction(queries: Queries, instanceId: string, action: Action): Promise<Answer> {
  const { request } = action;
  switch (request.type) {
    case "subscribe": {
      const conflict = await subscribe(queries, instanceId, request.channel, request.mode);
      return conflict ? failed(action, conflict) : completed(action);
    }
    case "unsubscribe": {
      const receivers = await unsubscribe(queries, instanceId, request.channel, action.at);
      return { ...completed(action), receivers };
    }
    case "receive":
    case "take":
      return { event: await answerTo(queries, instanceId, action), receivers: 0 };
    case "join":
      await queries.run(joinGroup, { group: request.group, instanceId });
      return completed(action);
    case "leave":
      await queries.run(leaveGroup, { group: request.group, instanceId });
      return completed(action);
    case "members": {
      const rows = await queries.all(membersOf, { group: request.group });
      const members = rows.map(({ instance_id: id }) => id);
      return completed(action, members);
    }
    case "start_child":
      return startChild(queries, instanceId, action, request);
    case "await_child":
      return awaitChild(queries, action, request);
    case "undo_child":
      return undoChild(queries, instanceId, action, request);
    case "cancel":
      return cancelOther(queries, action, request);
    case "emit":
      await queries.run(insertEvent, outboxRow(instanceId, request.event));
      return { event: emitted(action, request.event), receivers: 0 };
    default:
      return send(queries, action, request);
  }
}

/** As it was before the instance failed; a channel that is in use in another mode by now is left out. */
export async function rejoin(queries: Queries, instanceId: string, request: Rejoin): Promise<void> {
  switch (request.type) {
    case "hear":
      await queries.run(subscribeToEvents, { instanceId, type: request.event, key: request.key ?? "" });
      break;
    case "subscribe":
      await subscribe(queries, instanceId, request.channel, request.mode);
      break;
    case "join":
      await queries.run(joinGroup, { group: request.group, instanceId });
      break;
  }
}

/** Gives the error when the channel is in use in another mode. */
async function subscribe(
  queries: Queries,
  instanceId: string,
  channel: string,
  mode: ChannelMode,
): Promise<Error | undefined> {
  const [own] = await queries.all(subscriptionModes, { channel, ids: [instanceId] });
  if (own) return own.mode === mode ? undefined : new ChannelModeConflictError(channel, own.mode, mode);
  if (mode !== "direct") {
    const other = await settleMode(queries, channel, mode);
    if (other !== undefined) return new ChannelModeConflictError(channel, other, mode);
  }
  await queries.run(subscribeToChannel, { channel, instanceId, mode });
  return undefined;
}

/** Makes the mode the channel's, if it is free to be; else gives the one that it has. */
async function settleMode(queries: Queries, channel: string, mode: ChannelMode): Promise<string | undefined> {
  // Looked for first: to insert beside a row that is there, MySQL shares it with others who would then lock it alone.
  let [row] = await queries.all(lockMode, { channel });
  if (!row) {
    await queries.run(addChannel, { channel, mode });
    [row] = await queries.all(lockMode, { channel });
  }
  if (row === undefined || row.mode === mode) return undefined;
  if ((await queries.all(channelUse, { channel })).length > 0) return row.mode;
  await queries.run(setMode, { channel, mode });
  return undefined;
}

/** It may have been called for a message that it does not take any more: then another is. */
async function unsubscribe(queries: Queries, instanceId: string, channel: string, at: number): Promise<number> {
  const [own] = await queries.all(subscriptionModes, { channel, ids: [instanceId] });
  await queries.run(unsubscribeFromChannel, { channel, instanceId });
  return own?.mode === "competing" ? rouse(queries, channel, at, 1) : 0;
}

async function send(
  queries: Queries,
  action: Action,
  request: Extract<ActionRequest, { type: "publish" | "send" | "publish_to_group" }>,
): Promise<Answer> {
  const result = await post(queries, request);
  if (result.type === "undeliverable") return failed(action, undeliverable(result.instanceId, result.status));
  const { receivers } = result;
  const answer = completed(action, { id: request.message.attributes["id"] });
  return { ...answer, receivers, unheard: unheardOf(request, receivers) };
}

async function cancelOther(
  queries: Queries,
  action: Action,
  { instanceId, reason }: Extract<ActionRequest, { type: "cancel" }>,
): Promise<Answer> {
  const result = await cancel(queries, { type: "cancel", instanceId, reason, at: action.at });
  if (result.type === "undeliverable") return failed(action, notCancellable(instanceId, result.status));
  return { ...completed(action), receivers: result.receivers };
}

function completed(action: Action, result?: unknown): Answer {
  return { event: completion(action, result), receivers: 0 };
}

/** What is recorded when an event goes into the outbox, which nothing can stand in the way of. */
export function emitted(action: Action, { id }: OutgoingEvent): NewEvent {
  return completion(action, { id });
}

function completion({ operationId, at }: Action, result: unknown): NewEvent {
  return { kind: "action_completed", operationId, at, result: encode(result, `The result of ${operationId}`) };
}

function failed({ operationId, at }: Action, error: Error): Answer {
  return { event: { kind: "action_failed", operationId, at, error: encodeThrown(error) }, receivers: 0 };
}
