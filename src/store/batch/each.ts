/** Changes one after another, each by its own statements: on SQLite, in users' transactions, and where a batch failed. */
import type { Advance, Change, ChangeResult, Create, Deliver, Subscription } from "../../core/commit.ts";
import type { InstanceStatus } from "../../core/status.ts";
import type { Connection } from "../database.ts";
import { eventRow, newRow, patchRow } from "../rows.ts";
import type { Runner } from "../runner.ts";
import { appendEvent, appendEventFenced } from "../statements/history.ts";
import {
  blockInstance,
  finishInstance,
  insertInstance,
  instanceById,
  noteProgress,
  suspendInstance,
} from "../statements/instances.ts";
import { markRead, put, raise, subscribe, subscribers, unsubscribeAll } from "../statements/messages.ts";

/** Applies the changes in the transaction. */
export async function applyEach(
  connection: Connection,
  runner: Runner,
  changes: readonly Change[],
): Promise<ChangeResult[]> {
  const results: ChangeResult[] = [];
  for (const change of changes) results.push(await applyChange(connection, runner, change));
  return results;
}

/** Applies one change in the transaction. */
export function applyChange(connection: Connection, runner: Runner, change: Change): Promise<ChangeResult> {
  switch (change.type) {
    case "create":
      return create(connection, runner, change);
    case "advance":
      return advance(connection, runner, change);
    case "deliver":
      return deliver(connection, runner, change);
  }
}

async function create(
  connection: Connection,
  runner: Runner,
  { instance, subscriptions = [] }: Create,
): Promise<ChangeResult> {
  const created = await runner.run(connection, insertInstance, newRow(instance));
  if (created === 0) return existing(connection, runner, instance.id);
  await subscribeTo(connection, runner, instance.id, subscriptions);
  return { type: "applied" };
}

/** What there is under an id that could not be created. */
export async function existing(connection: Connection, runner: Runner, id: string): Promise<ChangeResult> {
  const [row] = await runner.all(connection, instanceById, { id });
  if (!row) throw new Error(`Instance ${id} could neither be created nor found.`);
  return { type: "exists", workflow: row.workflow, input: row.input };
}

async function advance(connection: Connection, runner: Runner, change: Advance): Promise<ChangeResult> {
  const [first, ...rest] = change.events;
  if (change.patch) {
    if ((await patch(connection, runner, change)) === 0) return { type: "fenced" };
    for (const event of change.events) await runner.run(connection, appendEvent, eventRow(change.instanceId, event));
  } else if (first) {
    const columns = { ...eventRow(change.instanceId, first), epoch: change.epoch };
    if ((await runner.run(connection, appendEventFenced, columns)) === 0) return { type: "fenced" };
    for (const event of rest) await runner.run(connection, appendEvent, eventRow(change.instanceId, event));
  }
  const { instanceId, reads = [], subscriptions = [], unsubscribes } = change;
  for (const { position, at } of reads) await runner.run(connection, markRead, { instanceId, position, at });
  await subscribeTo(connection, runner, instanceId, subscriptions);
  if (unsubscribes) await runner.run(connection, unsubscribeAll, { instanceId });
  return { type: "applied" };
}

async function subscribeTo(
  connection: Connection,
  runner: Runner,
  instanceId: string,
  subscriptions: readonly Subscription[],
): Promise<void> {
  for (const { type, key } of subscriptions)
    await runner.run(connection, subscribe, { instanceId, type, key: key ?? "" });
}

async function deliver(
  connection: Connection,
  runner: Runner,
  { instanceId, message }: Deliver,
): Promise<ChangeResult> {
  const { type, key, at } = message;
  const to =
    instanceId === undefined
      ? (await runner.all(connection, subscribers, { type, key: key ?? "" })).map((row) => row.instance_id)
      : [instanceId];
  let raised = 0;
  for (let first = 0; first < to.length; first += CHUNK) {
    const ids = to.slice(first, first + CHUNK);
    raised += await runner.run(connection, raise, { ids, at });
    await runner.run(connection, put, { ...message, attributes: JSON.stringify(message.attributes), ids });
  }
  if (instanceId === undefined || raised > 0) return { type: "delivered", to };
  const [row] = await runner.all(connection, instanceById, { id: instanceId });
  return { type: "undeliverable", status: row?.status as InstanceStatus | undefined };
}

/** Receivers in one statement. */
const CHUNK = 1_000;

function patch(connection: Connection, runner: Runner, change: Advance): Promise<number> {
  const [row] = patchRow(change);
  if (!row) return Promise.resolve(0);
  switch (change.patch?.event) {
    case "suspend":
      return runner.run(connection, suspendInstance, row);
    case "progress":
      return runner.run(connection, noteProgress, row);
    case "block":
      return runner.run(connection, blockInstance, row);
    default:
      return runner.run(connection, finishInstance, row);
  }
}
