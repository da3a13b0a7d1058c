/**
 * The commit protocol: how changes become rows.
 *
 * 1. Fencing: an advance writes only where `epoch` is still the committer's, and is then told apart by `fenced`.
 * 2. Isolation: a change that the database refuses does not touch the others of its batch.
 */
import type { Advance, Change, ChangeResult, Create } from "../core/commit.ts";
import type { HistoryEvent } from "../core/history.ts";
import { transition } from "../core/status.ts";
import type { Connection, Database } from "./database.ts";
import { dataOf } from "./rows.ts";
import type { Runner } from "./runner.ts";
import { appendEvent, appendEventFenced } from "./statements/history.ts";
import {
  blockInstance,
  finishInstance,
  insertInstance,
  instanceById,
  suspendInstance,
} from "./statements/instances.ts";
import { inTransaction } from "./transaction.ts";

/** Applies all changes in one transaction. First without savepoints, which cost; with them only when one is refused. */
export async function applyChanges(
  database: Database,
  runner: Runner,
  changes: readonly Change[],
): Promise<ChangeResult[]> {
  try {
    return await applyEach(database, changes, (connection, change) => applyChange(connection, runner, change));
  } catch (error) {
    if (database.isTransient(error)) throw error;
    return applyEach(database, changes, (connection, change) => applyIsolated(database, connection, runner, change));
  }
}

async function applyEach(
  database: Database,
  changes: readonly Change[],
  apply: (connection: Connection, change: Change) => Promise<ChangeResult>,
): Promise<ChangeResult[]> {
  return inTransaction(database, async (transaction) => {
    const results: ChangeResult[] = [];
    for (const change of changes) results.push(await apply(transaction, change));
    return results;
  });
}

async function applyIsolated(
  database: Database,
  connection: Connection,
  runner: Runner,
  change: Change,
): Promise<ChangeResult> {
  await connection.script("savepoint romancy_change");
  try {
    const result = await applyChange(connection, runner, change);
    await connection.script("release savepoint romancy_change");
    return result;
  } catch (error) {
    if (database.isTransient(error)) throw error;
    await connection.script("rollback to savepoint romancy_change");
    await connection.script("release savepoint romancy_change");
    return { type: "refused", error };
  }
}

/** Applies one change inside a transaction. */
export function applyChange(connection: Connection, runner: Runner, change: Change): Promise<ChangeResult> {
  return change.type === "create" ? create(connection, runner, change) : advance(connection, runner, change);
}

async function create(connection: Connection, runner: Runner, { instance }: Create): Promise<ChangeResult> {
  const { createdAt, ...columns } = instance;
  const owned = instance.workerId !== null;
  const created = await runner.run(connection, insertInstance, {
    ...columns,
    at: createdAt,
    wakeAt: owned ? null : createdAt - instance.priority * 1_000,
    epoch: owned ? 1 : 0,
  });
  if (created > 0) return { type: "applied" };
  const [existing] = await runner.all(connection, instanceById, { id: instance.id });
  if (!existing) throw new Error(`Instance ${instance.id} could neither be created nor found.`);
  return { type: "exists", workflow: existing.workflow, input: existing.input };
}

async function advance(connection: Connection, runner: Runner, change: Advance): Promise<ChangeResult> {
  const [first, ...rest] = change.events;
  if (change.patch) {
    if ((await patch(connection, runner, change)) === 0) return { type: "fenced" };
    for (const event of change.events) await runner.run(connection, appendEvent, columnsOf(change, event));
  } else if (first) {
    const columns = { ...columnsOf(change, first), epoch: change.epoch };
    if ((await runner.run(connection, appendEventFenced, columns)) === 0) return { type: "fenced" };
    for (const event of rest) await runner.run(connection, appendEvent, columnsOf(change, event));
  }
  return { type: "applied" };
}

function patch(connection: Connection, runner: Runner, change: Advance): Promise<number> {
  const { instanceId: id, epoch, patch } = change;
  switch (patch?.event) {
    case "complete":
    case "fail": {
      const status = transition("running", patch.event) ?? patch.event;
      const { at } = patch;
      const [output, error] = patch.event === "complete" ? [patch.output, null] : [null, patch.error];
      return runner.run(connection, finishInstance, { id, epoch, status, output, error, at });
    }
    case "block":
      return runner.run(connection, blockInstance, { id, epoch, error: patch.error, at: patch.at });
    case "suspend": {
      const { signals, wakeAt, at } = patch;
      return runner.run(connection, suspendInstance, { id, epoch, signals, wakeAt, at });
    }
    case undefined:
      return Promise.resolve(0);
  }
}

function columnsOf(
  change: Advance,
  event: HistoryEvent,
): Record<"instanceId" | "kind" | "operationId", string> & { seq: number; at: number; data: string | null } {
  return {
    instanceId: change.instanceId,
    seq: event.seq,
    kind: event.kind,
    operationId: event.operationId,
    data: dataOf(event),
    at: event.at,
  };
}
