/**
 * The commit protocol: how a batch of changes becomes durable.
 *
 * 1. Fencing: an advance writes only where `epoch` is still the committer's; else it is `fenced`, and nothing is written.
 * 2. Isolation: a change that the database refuses touches no other. A batch that was refused is tried in halves, so
 *    that one bad change among n costs about 2 log n transactions.
 * 3. No change takes place twice: when the answer to a commit was lost, it is looked for what became of each.
 */
import type { Change, ChangeResult } from "../core/commit.ts";
import { applyChange, existing } from "./batch/each.ts";
import type { Connection, Database } from "./database.ts";
import type { Runner } from "./runner.ts";
import { hasEvent } from "./statements/history.ts";
import { evidenceOf } from "./statements/instances.ts";
import { inTransaction } from "./transaction.ts";

/** Applies all of the changes in one transaction; rejects when the database refuses one of them, or is not there. */
export type ApplyBatch = (changes: readonly Change[]) => Promise<ChangeResult[]>;

export class Committer {
  readonly #database: Database;
  readonly #runner: Runner;
  readonly #applyBatch: ApplyBatch;

  constructor(database: Database, runner: Runner, applyBatch: ApplyBatch) {
    this.#database = database;
    this.#runner = runner;
    this.#applyBatch = applyBatch;
  }

  /** Results in the order of the changes. Rejects only with transient errors: the caller tries again, in doubt then. */
  async commit(changes: readonly Change[], inDoubt: boolean): Promise<ChangeResult[]> {
    return inDoubt ? this.#commitDoubtful(changes) : this.#commitBatch(changes);
  }

  /** What became of a change whose commit was not answered; `undefined` when it did not take place. */
  async lookFor(connection: Connection, change: Change): Promise<ChangeResult | undefined> {
    const id = change.type === "create" ? change.instance.id : change.instanceId;
    const [row] = await this.#runner.all(connection, evidenceOf, { id });
    if (change.type === "create") {
      if (!row) return undefined;
      const { workerId, createdAt } = change.instance;
      const isOurs =
        row.created_at === createdAt && (workerId === null || (row.worker_id === workerId && row.epoch === 1));
      return isOurs ? { type: "applied" } : { type: "exists", workflow: row.workflow, input: row.input };
    }
    // The epoch only rises: if it is still ours, nobody else has written meanwhile.
    if (row?.epoch !== change.epoch) return { type: "fenced" };
    const [first] = change.events;
    // A patch alone is written once more with the same effect, unless it has ended the instance.
    if (!first) return row.completed_at === null ? undefined : { type: "applied" };
    const found = await this.#runner.all(connection, hasEvent, { instanceId: id, seq: first.seq });
    return found.length > 0 ? { type: "applied" } : undefined;
  }

  async #commitBatch(changes: readonly Change[]): Promise<ChangeResult[]> {
    try {
      return await this.#applyBatch(changes);
    } catch (error) {
      if (this.#database.isTransient(error)) throw error;
      const [first] = changes;
      if (changes.length === 1 && first) return [await this.#commitOne(first)];
      const half = Math.ceil(changes.length / 2);
      return [...(await this.#commitBatch(changes.slice(0, half))), ...(await this.#commitBatch(changes.slice(half)))];
    }
  }

  async #commitOne(change: Change): Promise<ChangeResult> {
    try {
      return await inTransaction(this.#database, (transaction) => applyChange(transaction, this.#runner, change));
    } catch (error) {
      if (this.#database.isTransient(error)) throw error;
      return { type: "refused", error };
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
    const late = missing.length > 0 ? await this.#commitBatch(missing) : [];
    return results.map((result) => result ?? (late.shift() as ChangeResult));
  }
}
