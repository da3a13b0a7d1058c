/**
 * The commit protocol: how a batch of changes becomes durable.
 *
 * 1. Fencing: an advance writes only where `epoch` is still the committer's; else it is `fenced`, and nothing is written.
 * 2. Isolation: a change that the database refuses touches no other. A batch that was refused is tried in halves, so
 *    that one bad change among n costs about 2 log n transactions.
 * 3. No change takes place twice: when the answer to a commit was lost, it is looked for what became of each.
 */
import type { Advance, Change, ChangeResult, Create } from "../core/commit.ts";
import { applyChange, existing } from "./batch/each.ts";
import type { Connection, Database } from "./database.ts";
import { eventRow } from "./rows.ts";
import type { Runner } from "./runner.ts";
import { hasEvent } from "./statements/history.ts";
import { type EvidenceRow, evidenceOf } from "./statements/instances.ts";
import { inTransaction } from "./transaction.ts";

/** Applies all of the changes in one transaction; rejects when the database refuses one of them, or is not there. */
type Apply<C> = (changes: readonly C[]) => Promise<ChangeResult[]>;

/** The ways to apply a batch. */
export interface Batches {
  /** For changes of instances' rows and histories alone; absent where `each` is as good. */
  readonly plain?: Apply<Create | Advance>;
  readonly each: Apply<Change>;
}

export class Committer {
  readonly #database: Database;
  readonly #runner: Runner;
  readonly #batches: Batches;

  constructor(database: Database, runner: Runner, batches: Batches) {
    this.#database = database;
    this.#runner = runner;
    this.#batches = batches;
  }

  /** Results in the order of the changes. Rejects only with transient errors: the caller tries again, in doubt then. */
  async commit(changes: readonly Change[], inDoubt: boolean): Promise<ChangeResult[]> {
    return inDoubt ? this.#commitDoubtful(changes) : this.#commitAll(changes);
  }

  /** What became of a change whose commit was not answered; `undefined` when it did not take place. */
  async lookFor(connection: Connection, change: Change): Promise<ChangeResult | undefined> {
    // A message is delivered once more: those who have it already do not get it again.
    if (change.type === "deliver") return undefined;
    const id = change.type === "create" ? change.instance.id : change.instanceId;
    const [row] = await this.#runner.all(connection, evidenceOf, { id });
    if (change.type === "create") return row && judgeCreate(change, row);
    // The epoch only rises: if it is still ours, nobody else has written meanwhile.
    if (row?.epoch !== change.epoch) return { type: "fenced" };
    const [first] = change.events;
    // A patch alone is written once more with the same effect, unless it has ended the instance.
    if (!first) return row.completed_at === null ? undefined : { type: "applied" };
    const found = await this.#runner.all(connection, hasEvent, eventRow(id, first));
    return found.length > 0 ? { type: "applied" } : undefined;
  }

  /** What needs no more than a batch's form in one transaction, the rest in another. */
  async #commitAll(changes: readonly Change[]): Promise<ChangeResult[]> {
    const { plain, each } = this.#batches;
    if (!plain) return this.#commitBatch(changes, each);
    const results = await this.#commitBatch(changes.filter(isPlain), plain);
    const others = await this.#commitBatch(
      changes.filter((change) => !isPlain(change)),
      each,
    );
    return changes.map((change) => (isPlain(change) ? results : others).shift() as ChangeResult);
  }

  async #commitBatch<C extends Change>(changes: readonly C[], apply: Apply<C>): Promise<ChangeResult[]> {
    if (changes.length === 0) return [];
    try {
      return await apply(changes);
    } catch (error) {
      if (this.#database.isTransient(error)) throw error;
      const [first] = changes;
      if (changes.length === 1 && first) return [await this.#commitOne(first)];
      const half = Math.ceil(changes.length / 2);
      return [
        ...(await this.#commitBatch(changes.slice(0, half), apply)),
        ...(await this.#commitBatch(changes.slice(half), apply)),
      ];
    }
  }

  async #commitOne(change: Change): Promise<ChangeResult> {
    try {
      return await inTransaction(this.#database, (transaction) => applyChange(transaction, this.#runner, change));
    } catch (error) {
      if (this.#database.isTransient(error)) throw error;
      // What stands in its way may be itself: a try that was given up, and went through after all.
      const seen = await this.lookFor(this.#database.reader, change);
      return change.type === "advance" && seen?.type === "applied" ? seen : { type: "refused", error };
    }
  }

  async #commitDoubtful(changes: readonly Change[]): Promise<ChangeResult[]> {
    const results: (ChangeResult | undefined)[] = [];
    const created = new Set<string>();
    for (const change of changes) {
      const result = await this.lookFor(this.#database.reader, change);
      // Of two creations of one id the first one counts.
      const isSecond = change.type === "create" && result?.type === "applied" && created.has(change.instance.id);
      results.push(isSecond ? await existing(this.#database.reader, this.#runner, change.instance.id) : result);
      if (change.type === "create") created.add(change.instance.id);
    }
    const missing = changes.filter((_, index) => results[index] === undefined);
    const late: ChangeResult[] = [];
    for (const [index, result] of (await this.#commitAll(missing)).entries()) {
      const change = missing[index] as Change;
      // A creation that was under way when it was looked for exists by now, and may be ours.
      const found = result.type === "exists" ? await this.lookFor(this.#database.reader, change) : undefined;
      late.push(found ?? result);
    }
    return results.map((result) => result ?? (late.shift() as ChangeResult));
  }
}

function isPlain(change: Change): change is Create | Advance {
  if (change.type === "deliver") return false;
  const { subscriptions = [] } = change;
  const isAlone = change.type === "create" || ((change.reads ?? []).length === 0 && !change.unsubscribes);
  return isAlone && subscriptions.length === 0;
}

/** Whether what is there under the id is what was to be created. */
function judgeCreate({ instance }: Create, row: EvidenceRow): ChangeResult {
  const { workerId, createdAt, workflow, input } = instance;
  const isSame = row.created_at === createdAt && row.workflow === workflow && row.input === input;
  const isOurs = isSame && (workerId === null || (row.worker_id === workerId && row.epoch === 1));
  return isOurs ? { type: "applied" } : { type: "exists", workflow: row.workflow, input: row.input };
}
