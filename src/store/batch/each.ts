/**
 * Changes one after another, each by its own statements: what has no form of many rows, in users' transactions, and where a
 * batch failed.
 */
import type { ActionRequest, Post } from "../../core/action.ts";
import type { Advance, Change, ChangeResult, Create } from "../../core/commit.ts";
import { undeliverable } from "../../core/errors.ts";
import type { NewEvent } from "../../core/history.ts";
import { requestsOf } from "../../core/outgoing.ts";
import type { Connection } from "../database.ts";
import { eventRow } from "../rows.ts";
import type { Queries, Runner } from "../runner.ts";
import { lockModes } from "../statements/channels.ts";
import { awaitedEnds } from "../statements/children.ts";
import { appendEvent } from "../statements/history.ts";
import { holdInstance, holdInstances, instanceById } from "../statements/instances.ts";
import { subscribers } from "../statements/messages.ts";
import { insertEvent, outboxRow } from "../statements/outbox.ts";
import { rejoin, runAction } from "./actions.ts";
import { report } from "./children.ts";
import { deliver, post, publish, receiversOf, rouse, toBeRoused, unheardOf } from "./mail.ts";
import { recur } from "./recur.ts";
import { cancel, retryCompensations } from "./requests.ts";
import { retry } from "./retry.ts";
import { isWriteOnly, type Write, writesOfAdvance, writesOfCreate } from "./writes.ts";

/** Applies the changes in the transaction. */
export async function applyEach(
  connection: Connection,
  runner: Runner,
  changes: readonly Change[],
): Promise<ChangeResult[]> {
  const queries = runner.on(connection);
  if (runner.locksRows) await holdAll(queries, changes);
  const results: ChangeResult[] = [];
  for (const change of changes) results.push(applyNow(queries, change) ?? (await apply(queries, change)));
  return results;
}

/** Applies one change in the transaction. */
export async function applyChange(connection: Connection, runner: Runner, change: Change): Promise<ChangeResult> {
  const [result] = await applyEach(connection, runner, [change]);
  return result as ChangeResult;
}

async function apply(queries: Queries, change: Change): Promise<ChangeResult> {
  switch (change.type) {
    case "create":
      return create(queries, change);
    case "advance":
      return advance(queries, change);
    case "deliver":
      return deliver(queries, change);
    case "publish":
      return publish(queries, change.message);
    case "rouse":
      return { type: "delivered", receivers: await rouse(queries, change.channel, change.at, change.limit) };
    case "cancel":
      return cancel(queries, change);
    case "retry":
      return retry(queries, change);
    case "retry_compensations":
      return retryCompensations(queries, change);
  }
}

/**
 * Locks the instances and then the channels that the changes concern in one order, whoever commits them: else two
 * batches that send to each other's instances would wait for each other.
 */
async function holdAll(queries: Queries, changes: readonly Change[]): Promise<void> {
  const ids = new Set<string>();
  for (const change of changes) {
    for (const id of await concernedBy(queries, change)) ids.add(id);
  }
  const isAsked = changes.some(({ type }) => type === "rouse");
  if (ids.size > 1 || (isAsked && ids.size > 0)) await queries.all(holdInstances, { ids: [...ids] });
  const channels = new Set(changes.flatMap(channelsOf));
  if (channels.size > 1) await queries.all(lockModes, { channels: [...channels] });
}

/** The channels whose modes the change settles. */
function channelsOf(change: Change): string[] {
  if (change.type !== "advance") return [];
  const requests = [...(change.rejoins ?? []), ...(change.actions ?? []).map(({ request }) => request)];
  return requests.flatMap((request) =>
    request.type === "subscribe" && request.mode !== "direct" ? [request.channel] : [],
  );
}

async function concernedBy(queries: Queries, change: Change): Promise<readonly string[]> {
  switch (change.type) {
    case "create":
      return [];
    case "cancel":
    case "retry":
    case "retry_compensations":
      return [change.instanceId];
    case "rouse":
      return toBeRoused(queries, change.channel, change.limit);
    case "publish":
      return receiversOf(queries, change);
    case "deliver": {
      const { instanceId, message } = change;
      if (instanceId !== undefined) return [instanceId];
      const rows = await queries.all(subscribers, { type: message.type, key: message.key ?? "" });
      return rows.map((row) => row.instance_id);
    }
    case "advance": {
      const ids = [change.instanceId];
      for (const request of requestsOf(change)) {
        const isPost = request.type === "publish" || request.type === "send" || request.type === "publish_to_group";
        if (isPost) ids.push(...(await receiversOf(queries, request)));
        else ids.push(...kinIn(request));
      }
      const awaited = change.report !== undefined ? await queries.all(awaitedEnds, { ids: [change.instanceId] }) : [];
      ids.push(...awaited.map((row) => row.parent_id));
      return ids;
    }
  }
}

/** The instances whose rows the action locks. */
function kinIn(request: ActionRequest): string[] {
  if (request.type === "await_child" || request.type === "undo_child") return [request.childId];
  return request.type === "cancel" ? [request.instanceId] : [];
}

async function create(queries: Queries, change: Create): Promise<ChangeResult> {
  return (await writeAll(queries, writesOfCreate(change)))
    ? { type: "applied" }
    : existing(queries, change.instance.id);
}

/** What there is under an id that could not be created. */
export async function existing(queries: Queries, id: string): Promise<ChangeResult> {
  const [row] = await queries.all(instanceById, { id });
  if (!row) throw new Error(`Instance ${id} could neither be created nor found.`);
  return { type: "exists", workflow: row.workflow, input: row.input };
}

async function advance(queries: Queries, change: Advance): Promise<ChangeResult> {
  const { instanceId, epoch, patch, posts = [], actions = [], rejoins = [] } = change;
  if (posts.length + actions.length + rejoins.length === 0 && patch?.event !== "recur")
    return writeAndReport(queries, change);
  const [held] = await queries.all(holdInstance, { id: instanceId, epoch });
  if (!held) return { type: "fenced" };
  if (held.cancel_requested_at !== null && mayBeCalledOff(change)) return { type: "called_off" };
  for (const request of rejoins) await rejoin(queries, instanceId, request);
  const reached = await sendPosts(queries, instanceId, posts);
  const answers: (NewEvent | undefined)[] = [];
  for (const action of actions) {
    const answer = await runAction(queries, instanceId, action);
    answers.push(answer.event);
    reached.receivers += answer.receivers;
    if (answer.unheard !== undefined) reached.unheard.push(answer.unheard);
    if (answer.event) await queries.run(appendEvent, eventRow(instanceId, { ...answer.event, seq: action.seq }));
  }
  const written = await writeAndReport(queries, change);
  if (written.type !== "applied") return written;
  return { type: "applied", answers, ...reached, receivers: reached.receivers + (written.receivers ?? 0) };
}

/** To whom an advance's messages went. */
interface Reached {
  /** How many instances they were sent to, or called. */
  receivers: number;
  /** The channels of those that none was for. */
  readonly unheard: string[];
}

/** If one cannot be delivered, nothing of the advance applies. */
async function sendPosts(queries: Queries, instanceId: string, posts: readonly Post[]): Promise<Reached> {
  const reached: Reached = { receivers: 0, unheard: [] };
  for (const posted of posts) {
    if (posted.type === "emit") {
      await queries.run(insertEvent, outboxRow(instanceId, posted.event));
      continue;
    }
    const result = await post(queries, posted);
    // The activity has failed.
    if (result.type === "undeliverable") throw undeliverable(result.instanceId, result.status);
    reached.receivers += result.receivers;
    const channel = unheardOf(posted, result.receivers);
    if (channel !== undefined) reached.unheard.push(channel);
  }
  return reached;
}

async function writeAndReport(queries: Queries, change: Advance): Promise<ChangeResult> {
  const written = await write(queries, change);
  if (written.type !== "applied" || change.report === undefined) return written;
  return { ...written, receivers: (written.receivers ?? 0) + (await report(queries, change)) };
}

/** The instance's row and history, and its inbox. */
async function write(queries: Queries, change: Advance): Promise<ChangeResult> {
  const { patch } = change;
  if (!(await writeAll(queries, writesOfAdvance(change)))) return refusalOf(queries, change);
  // Last: all of it belongs to what is archived.
  const receivers = patch?.event === "recur" ? await recur(queries, change, patch) : 0;
  return receivers === 0 ? { type: "applied" } : { type: "applied", receivers };
}

/** Whether the first of them changed a row; if not, the others are not written. */
async function writeAll(queries: Queries, [first, ...others]: readonly Write[]): Promise<boolean> {
  if (first && (await queries.run(first.statement, first.params)) === 0) return false;
  for (const { statement, params } of others) await queries.run(statement, params);
  return true;
}

/** The same at once, of a change that only writes, where the database can; `undefined` when it takes more. */
function applyNow({ runNow }: Queries, change: Change): ChangeResult | undefined {
  if (!runNow || !isWriteOnly(change)) return undefined;
  const [first, ...others] = change.type === "create" ? writesOfCreate(change) : writesOfAdvance(change);
  // Nothing is written yet: why it does not apply is found out by trying once more.
  if (first && runNow(first.statement, first.params) === 0) return undefined;
  for (const { statement, params } of others) runNow(statement, params);
  return { type: "applied" };
}

/** Whether it does not apply when the instance is to be cancelled: it does not know of that, and would end. */
export function mayBeCalledOff({ patch, knowsOfCancel = false }: Advance): boolean {
  return patch !== undefined && patch.event !== "suspend" && patch.event !== "progress" && !knowsOfCancel;
}

/** Why an advance did not apply. */
export async function refusalOf(queries: Queries, change: Advance): Promise<ChangeResult> {
  const [held] = await queries.all(holdInstance, { id: change.instanceId, epoch: change.epoch });
  const isCalledOff = held !== undefined && held.cancel_requested_at !== null && mayBeCalledOff(change);
  return { type: isCalledOff ? "called_off" : "fenced" };
}
