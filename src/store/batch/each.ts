/** Changes one after another, each by its own statements: on SQLite, in users' transactions, and where a batch failed. */
import type { Advance, Change, ChangeResult, Create } from "../../core/commit.ts";
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
  return change.type === "create" ? create(connection, runner, change) : advance(connection, runner, change);
}

async function create(connection: Connection, runner: Runner, { instance }: Create): Promise<ChangeResult> {
  const created = await runner.run(connection, insertInstance, newRow(instance));
  return created > 0 ? { type: "applied" } : existing(connection, runner, instance.id);
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
  return { type: "applied" };
}

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
