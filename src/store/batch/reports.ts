/**
 * Ends of children in the transaction that tells their parents of them, a batch at a time.
 *
 * The rows of the children, and of the parents that are known to wait for them, are locked first and in the order of their
 * ids, as by all who lock several: so two batches do not wait for each other. From there on nobody begins to wait for one
 * of these ends; whoever has begun just before is told one by one, as are those who went on as others.
 */
import type { Advance, ChangeResult, Deliver } from "../../core/commit.ts";
import type { Transaction } from "../database.ts";
import type { Queries, Runner } from "../runner.ts";
import { lastOfChain } from "../statements/chains.ts";
import { awaitedEnds } from "../statements/children.ts";
import { holdInstances } from "../statements/instances.ts";
import { endMessage } from "./children.ts";
import { deliver } from "./mail.ts";

/** How the database applies plain changes in a transaction that is open. */
export type PlainInTransaction = (transaction: Transaction, changes: readonly Advance[]) => Promise<ChangeResult[]>;

/** How the database applies parts of a batch in a transaction that is open. */
export interface Ways {
  readonly plain: PlainInTransaction;
  /** Messages to single instances, whose rows the transaction holds, and which have not ended. */
  readonly put: (transaction: Transaction, messages: readonly Deliver[]) => Promise<unknown>;
}

/** A child's end, on its way. */
interface Report {
  readonly childId: string;
  readonly message: Deliver;
  /** Whether the parent's row is held, and it has not ended. */
  readonly isDirect: boolean;
}

/** Applies the changes in the transaction; rejects when one of them is to be judged by itself. */
export async function applyReports(
  transaction: Transaction,
  runner: Runner,
  changes: readonly Advance[],
  { plain, put }: Ways,
): Promise<ChangeResult[]> {
  const queries = runner.on(transaction);
  const held = await holdKin(queries, changes);
  const results = await plain(transaction, changes);
  const applied = changes.filter((_, index) => results[index]?.type === "applied");
  const reports = await reportsOf(queries, applied, held);
  const direct = reports.filter(({ isDirect }) => isDirect);
  if (direct.length > 0)
    await put(
      transaction,
      direct.map(({ message }) => message),
    );
  const told = new Set(direct.map(({ childId }) => childId));
  for (const { childId, message, isDirect } of reports) {
    // It may be for what the parent went on as.
    if (!isDirect && (await deliver(queries, message)).type === "delivered") told.add(childId);
  }
  return results.map((result, index) => {
    const isTold = told.has(changes[index]?.instanceId as string);
    return isTold && result.type === "applied" ? { ...result, receivers: (result.receivers ?? 0) + 1 } : result;
  });
}

/** Gives the ids of the rows that are held now. One that began to wait a moment ago is not among them. */
async function holdKin(queries: Queries, changes: readonly Advance[]): Promise<ReadonlySet<string>> {
  const ids = new Set(changes.map(({ instanceId }) => instanceId));
  for (const row of await queries.all(awaitedEnds, { ids: [...ids] })) {
    ids.add(row.parent_id);
    // What it went on as is told instead.
    const [last] = row.is_parent_open === 1 ? [] : await queries.all(lastOfChain, { id: row.parent_id });
    if (last) ids.add(last.instance_id);
  }
  await queries.all(holdInstances, { ids: [...ids] });
  return ids;
}

/** What parents that wait are to be told, in the order of the changes. */
async function reportsOf(queries: Queries, ended: readonly Advance[], held: ReadonlySet<string>): Promise<Report[]> {
  if (ended.length === 0) return [];
  const rows = await queries.all(awaitedEnds, { ids: ended.map(({ instanceId }) => instanceId) });
  const rowsById = new Map(rows.map((row) => [row.id, row]));
  return ended.flatMap(({ instanceId: childId, patch, report: fingerprint = childId }) => {
    const row = rowsById.get(childId);
    if (!row || !patch) return [];
    const isDirect = row.is_parent_open === 1 && held.has(row.parent_id);
    return [{ childId, message: endMessage(row, fingerprint, patch.at), isDirect }];
  });
}
