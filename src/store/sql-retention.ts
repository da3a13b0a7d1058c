/**
 * Removing what has ended, on any SQL database.
 *
 * 1. A tree goes only when all of it has ended: its members are locked, all of them, and looked at before any goes. Who
 *    would take one up again holds its row, so the tree is left out; and in a tree that has ended nothing begins.
 * 2. Nobody is waited for: rows that others hold are skipped, so that neither two who remove nor work is held up.
 * 3. A transaction takes few instances and events, so that others get their turn. Of a tree that has more, members go
 *    first and its first instance last, by which the rest is found again.
 */
import type { Database } from "./database.ts";
import type { EndedFilter, EndedPage, Removal, StoredRetention } from "./retention.ts";
import { retrying, retryTransient } from "./retry-transient.ts";
import type { Queries, Runner } from "./runner.ts";
import * as retention from "./statements/retention.ts";
import { inTransaction } from "./transaction.ts";

/** Instances, and events of their histories, that one transaction removes; a single instance may have more events. */
const INSTANCES_AT_ONCE = 500;
const EVENTS_AT_ONCE = 5_000;

/** Events for brokers in one go. */
const FORGOTTEN_AT_ONCE = 1_000;

export class SqlRetention implements StoredRetention {
  readonly #database: Database;
  readonly #runner: Runner;
  readonly #viewer: Queries;
  readonly #writer: Queries;

  constructor(database: Database, runner: Runner) {
    this.#database = database;
    this.#runner = runner;
    this.#viewer = retrying(database, runner.on(database.viewer));
    this.#writer = retrying(database, runner.on(database.writer));
  }

  async ended({ before, workflows, others, after, limit }: EndedFilter): Promise<EndedPage> {
    const start = { behind: after.createdAt, behindId: after.id, before };
    const [end] = await this.#viewer.all(retention.windowEnd, { ...start, limit });
    if (!end) return { trees: [], next: undefined };
    const { created_at: createdAt, id } = end;
    const rows = await this.#viewer.all(retention.endedTrees, {
      ...start,
      upTo: createdAt,
      upToId: id,
      anyWorkflow: workflows ? 0 : 1,
      workflows: workflows ?? [],
      noOther: others.length === 0 ? 1 : 0,
      others,
    });
    const trees = rows.map((row) => ({ id: row.id, status: row.status, isHeld: row.is_held === 1 }));
    return { trees, next: { createdAt, id } };
  }

  async count(trees: readonly string[]): Promise<number> {
    const rows = await this.#viewer.all(retention.countMembers, { ids: trees });
    return rows.reduce((sum, { n }) => sum + n, trees.length);
  }

  remove(trees: readonly string[], before: number): Promise<Removal> {
    return retryTransient(this.#database, () =>
      inTransaction(this.#database, async (transaction) => {
        const queries = this.#runner.on(transaction);
        const removal = choose(await lock(queries, trees, before), before);
        const ids = removal.doomed;
        for (const statement of ids.length > 0 ? retention.deletions : []) await queries.run(statement, { ids });
        return { instances: ids.length, trees: removal.trees, left: removal.left };
      }),
    );
  }

  async forgetGivenUp(before: number): Promise<boolean> {
    const limit = FORGOTTEN_AT_ONCE;
    return (await this.#writer.run(retention.forgetGivenUp, { before, limit })) === limit;
  }
}

/** A tree whose rows are the transaction's. */
interface LockedTree {
  readonly root: retention.DoomedRow;
  readonly members: readonly retention.DoomedRow[];
  /** How many members it has in truth; others may hold some, or they may be too many for one transaction. */
  readonly size: number;
}

async function lock(queries: Queries, trees: readonly string[], before: number): Promise<LockedTree[]> {
  const roots = await queries.all(retention.lockRoots, { ids: trees, before });
  if (roots.length === 0) return [];
  const ids = roots.map(({ id }) => id);
  const members = Map.groupBy(
    await queries.all(retention.lockMembers, { ids, limit: INSTANCES_AT_ONCE }),
    ({ root_id: root }) => root,
  );
  // Read after they were locked: what is more by now is not ours.
  const sizes = new Map((await queries.all(retention.countMembers, { ids })).map(({ root_id: root, n }) => [root, n]));
  return roots.map((root) => ({ root, members: members.get(root.id) ?? [], size: sizes.get(root.id) ?? 0 }));
}

interface Choice {
  readonly doomed: string[];
  readonly trees: string[];
  readonly left: string[];
}

/** What goes in this transaction, and what is left to the next (3). */
function choose(trees: readonly LockedTree[], before: number): Choice {
  const choice: Choice = { doomed: [], trees: [], left: [] };
  const isCut = trees.reduce((sum, { members }) => sum + members.length, 0) === INSTANCES_AT_ONCE;
  let events = 0;
  for (const tree of trees) {
    const { id } = tree.root;
    if (isLive(tree, before)) continue;
    const rows = doomedOf(tree);
    if (rows.length === 0 && isCut) choice.left.push(id);
    if (rows.length === 0) continue;
    const weight = rows.reduce((sum, row) => sum + row.events, 0);
    const hasRoom = choice.doomed.length + rows.length <= INSTANCES_AT_ONCE && events + weight <= EVENTS_AT_ONCE;
    if (choice.doomed.length > 0 && !hasRoom) {
      choice.left.push(id);
      continue;
    }
    events += weight;
    choice.doomed.push(...rows.map((row) => row.id));
    (rows.includes(tree.root) ? choice.trees : choice.left).push(id);
  }
  return choice;
}

function isLive({ members }: LockedTree, before: number): boolean {
  return members.some(({ completed_at: end }) => end === null || end >= before);
}

/** All of a tree that has ended (1); of one that is too large members only; nothing when somebody else is at it. */
function doomedOf({ root, members, size }: LockedTree): readonly retention.DoomedRow[] {
  if (members.length === size) return [...members, root];
  return size > INSTANCES_AT_ONCE ? members : [];
}
