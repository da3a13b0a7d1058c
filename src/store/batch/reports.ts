/**
 * Ends of children in the transaction that tells their parents of them, a batch at a time.
 *
 * All rows, of the children and of the parents that wait for them, are locked first and in the order of their ids, as by
 * all who lock several. So from there on nobody begins to wait for one of these ends, and no two batches wait for each
 * other.
 */
import type { Advance, ChangeResult, Deliver } from "../../core/commit.ts";
import type { Transaction } from "../database.ts";
import type { Queries, Runner } from "../runner.ts";
import { awaitedEnds } from "../statements/children.ts";
import { holdInstances } from "../statements/instances.ts";
import { endMessage } from "./children.ts";
import { deliver } from "./mail.ts";

/** How the database applies parts of a batch in a transaction that is open. */
export interface Ways {
  plain(transaction: Transaction, changes: readonly Advance[]): Promise<ChangeResult[]>;
  /** Messages to single instances, whose rows the transaction holds, and which have not ended. */
  put(transaction: Transaction, messages: readonly Deliver[]): Promise<unknown>;
}

/** A child's end, on its way. */
interface Report {
  readonly childId: string;
  readonly message: Deliver;
  readonly isParentOpen: boolean;
}

/** Applies the changes in the transaction; rejects when one of them is to be judged by itself. */
export async function applyReports(
  transaction: Transaction,
  runner: Runner,
  changes: readonly Advance[],
  { plain, put }: Ways,
): Promise<ChangeResult[]> {
  const queries = runner.on(transaction);
  await holdKin(queries, changes);
  const results = await plain(transaction, changes);
  const applied = changes.filter((_, index) => results[index]?.type === "applied");
  const reports = await reportsOf(queries, applied);
  const direct = reports.filter(({ isParentOpen }) => isParentOpen);
  if (direct.length > 0)
    await put(
      transaction,
      direct.map(({ message }) => message),
    );
  const told = new Set(direct.map(({ childId }) => childId));
  for (const { childId, message, isParentOpen } of reports) {
    // What its parent does not take may be for what that went on as.
    if (!isParentOpen && (await deliver(queries, message)).type === "delivered") told.add(childId);
  }
  return results.map((result, index) => {
    const isTold = told.has(changes[index]?.instanceId as string);
    return isTold && result.type === "applied" ? { ...result, receivers: (result.receivers ?? 0) + 1 } : result;
  });
}

async function holdKin(queries: Queries, changes: readonly Advance[]): Promise<void> {
  const ids = changes.map(({ instanceId }) => instanceId);
  const parents = (await queries.all(awaitedEnds, { ids })).map((row) => row.parent_id);
  await queries.all(holdInstances, { ids: [...new Set([...ids, ...parents])] });
}

/** What parents that wait are to be told, in the order of the changes. */
async function reportsOf(queries: Queries, ended: readonly Advance[]): Promise<Report[]> {
  if (ended.length === 0) return [];
  const rows = await queries.all(awaitedEnds, { ids: ended.map(({ instanceId }) => instanceId) });
  const rowsById = new Map(rows.map((row) => [row.id, row]));
  return ended.flatMap(({ instanceId: childId, patch, report: fingerprint = childId }) => {
    const row = rowsById.get(childId);
    if (!row || !patch) return [];
    return [{ childId, message: endMessage(row, fingerprint, patch.at), isParentOpen: row.is_parent_open === 1 }];
  });
}
