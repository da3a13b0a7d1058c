/**
 * Receives on channels: how one begins, and messages that competing subscribers take; for one instance, or for many in one
 * transaction. What comes of it is found out first, and then written with all else.
 *
 * The instances' rows are locked before their subscriptions and the messages; messages that others are taking are passed
 * over, so nobody waits for those.
 */
import type { Action, ActionRequest } from "../../core/action.ts";
import { encodeThrown } from "../../core/codec.ts";
import type { Advance, ChangeResult } from "../../core/commit.ts";
import { ChannelNotSubscribedError } from "../../core/errors.ts";
import type { ChannelMode, HistoryEvent, MessageAttributes, NewEvent } from "../../core/history.ts";
import type { Transaction } from "../database.ts";
import type { Queries, Runner } from "../runner.ts";
import { noteWaiting, oldestMessages, subscriptionModes, takeMessages } from "../statements/channels.ts";
import { holdInstances } from "../statements/instances.ts";
import { NotTogetherError } from "./not-together.ts";
import type { PlainInTransaction } from "./reports.ts";

type Request<Type extends ActionRequest["type"]> = Extract<ActionRequest, { type: Type }>;

/** What an instance asks for. */
interface AskedFor<Type extends ActionRequest["type"]> {
  readonly instanceId: string;
  readonly action: Action;
  readonly request: Request<Type>;
}

type Asked = AskedFor<"receive"> | AskedFor<"take">;

/** What is recorded of each; `undefined` where there was no message. */
type Answers = ReadonlyMap<Action, NewEvent | undefined>;

/** Applies changes that are plain but for what they receive; rejects when one of them is to be judged by itself. */
export async function applyReceives(
  transaction: Transaction,
  runner: Runner,
  changes: readonly Advance[],
  plain: PlainInTransaction,
): Promise<ChangeResult[]> {
  const queries = runner.on(transaction);
  await queries.all(holdInstances, { ids: changes.map(({ instanceId }) => instanceId) });
  const asked = changes.flatMap(({ instanceId, actions = [] }) =>
    actions.flatMap((action) => asking(instanceId, action)),
  );
  const answers = await answersTo(queries, asked);
  const results = await plain(
    transaction,
    changes.map((change) => answered(change, answers)),
  );
  return changes.map((change, index) => {
    const result = results[index];
    // What it took is another's, then.
    if (result?.type !== "applied") throw new NotTogetherError(`${change.instanceId} cannot receive anything.`);
    const others = [...(result.answers ?? [])];
    const all = (change.actions ?? []).map((action) => (answers.has(action) ? answers.get(action) : others.shift()));
    return { ...result, answers: all };
  });
}

/** What comes of one action of one instance. */
export async function answerTo(queries: Queries, instanceId: string, action: Action): Promise<NewEvent | undefined> {
  return (await answersTo(queries, asking(instanceId, action))).get(action);
}

function asking(instanceId: string, action: Action): Asked[] {
  const { request } = action;
  if (request.type === "receive") return [{ instanceId, action, request }];
  return request.type === "take" ? [{ instanceId, action, request }] : [];
}

/** The change with what it has received among its events. */
function answered(change: Advance, answers: Answers): Advance {
  const events: HistoryEvent[] = [...change.events];
  for (const action of change.actions ?? []) {
    const answer = answers.get(action);
    if (answer) events.push({ ...answer, seq: action.seq });
  }
  return { ...change, events };
}

async function answersTo(queries: Queries, asked: readonly Asked[]): Promise<Answers> {
  const answers = new Map<Action, NewEvent | undefined>();
  const receives = asked.filter((one): one is AskedFor<"receive"> => one.request.type === "receive");
  const takes = asked.filter((one): one is AskedFor<"take"> => one.request.type === "take");
  for (const [channel, group] of Map.groupBy(receives, ({ request }) => request.channel)) {
    await begin(queries, channel, group, answers);
  }
  for (const [channel, group] of Map.groupBy(takes, ({ request }) => request.channel)) {
    await take(queries, channel, group, answers);
  }
  return answers;
}

/** What the receives wait for depends on how their instances have subscribed. */
async function begin(
  queries: Queries,
  channel: string,
  receives: readonly AskedFor<"receive">[],
  answers: Map<Action, NewEvent | undefined>,
): Promise<void> {
  const ids = receives.map(({ instanceId }) => instanceId);
  const rows = await queries.all(subscriptionModes, { channel, ids });
  const modes = new Map(rows.map((row) => [row.instance_id, row.mode as ChannelMode]));
  for (const { instanceId, action, request } of receives) {
    const { operationId, at } = action;
    const mode = modes.get(instanceId);
    const event: NewEvent =
      mode === undefined
        ? { kind: "wait_refused", operationId, at, error: encodeThrown(new ChannelNotSubscribedError(channel)) }
        : {
            kind: "wait_started",
            operationId,
            at,
            waitFor: { kind: "channel", channel, mode },
            deadline: request.deadline,
          };
    answers.set(action, event);
  }
}

/** The oldest messages go to those who ask, in their order; who gets none is noted as waiting, if it is to be. */
async function take(
  queries: Queries,
  channel: string,
  takes: readonly AskedFor<"take">[],
  answers: Map<Action, NewEvent | undefined>,
): Promise<void> {
  const messages = await queries.all(oldestMessages, { channel, limit: takes.length });
  // By instance, which may ask more than once: each time it is noted as waiting or as not, and the last time counts.
  const waiting = new Set<string>();
  const cleared = new Set<string>();
  for (const [index, { instanceId, action, request }] of takes.entries()) {
    const message = messages[index];
    if (!message && request.waits) {
      waiting.add(instanceId);
    } else {
      waiting.delete(instanceId);
      cleared.add(instanceId);
    }
    answers.set(action, message && received(action, message));
  }
  const at = takes[0]?.action.at ?? 0;
  if (cleared.size > 0) await queries.run(noteWaiting, { channel, ids: [...cleared], since: null });
  if (waiting.size > 0) await queries.run(noteWaiting, { channel, ids: [...waiting], since: at });
  if (messages.length > 0) await queries.run(takeMessages, { ids: messages.map(({ id }) => id), at });
}

function received(
  { operationId, at }: Action,
  message: { readonly attributes: string; readonly data: string },
): NewEvent {
  const attributes = JSON.parse(message.attributes) as MessageAttributes;
  return { kind: "message_received", operationId, at, attributes, data: message.data };
}
