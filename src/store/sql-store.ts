import type { Change, ChangeResult } from "../core/commit.ts";
import { SessionError } from "../core/errors.ts";
import type { HistoryEvent } from "../core/history.ts";
import type { InstanceStatus } from "../core/status.ts";
import { applyChange, applyChanges } from "./apply.ts";
import type { Database, Transaction } from "./database.ts";
import { eventOf } from "./rows.ts";
import { Runner } from "./runner.ts";
import { type HistoryRow, historyPage } from "./statements/history.ts";
import * as instances from "./statements/instances.ts";
import * as workers from "./statements/workers.ts";
import type { Claim, Ending, InstanceRecord, ListFilter, Store, StoreTransaction, WorkerRecord } from "./store.ts";
import { inTransaction } from "./transaction.ts";

/** Events read in one go; other work gets its turn between two pages. */
const HISTORY_PAGE = 1_000;

/** The store on any SQL database. */
export class SqlStore implements Store {
  readonly #database: Database;
  readonly #runner: Runner;

  constructor(database: Database) {
    this.#database = database;
    this.#runner = new Runner(database.dialect);
  }

  commit(changes: readonly Change[]): Promise<ChangeResult[]> {
    return applyChanges(this.#database, this.#runner, changes);
  }

  async begin(): Promise<StoreTransaction> {
    return this.#share(await this.#database.begin());
  }

  beginNow(): StoreTransaction | undefined {
    const transaction = this.#database.beginNow?.();
    return transaction && this.#share(transaction);
  }

  idle(): Promise<void> | undefined {
    return this.#database.idle?.();
  }

  #share(transaction: Transaction): StoreTransaction {
    return {
      client: transaction.client,
      query: (text, values) => transaction.query(text, values),
      rollback: () => transaction.rollback(),
      apply: (change) => applyChange(transaction, this.#runner, change),
      commitWith: async (change) => {
        if (!transaction.isOpen) {
          throw new SessionError(
            "The activity itself ended the transaction of its session. Leave commit and rollback to the activity's end.",
          );
        }
        const result = await applyChange(transaction, this.#runner, change);
        await (result.type === "applied" ? transaction.commit() : transaction.rollback());
        return result;
      },
    };
  }

  claim(workerId: string, workflows: readonly string[], limit: number, now: number): Promise<Claim[]> {
    const params = { workerId, workflows: JSON.stringify(workflows), limit, now };
    return inTransaction(this.#database, (transaction) => this.#runner.all(transaction, instances.claimDue, params));
  }

  async nextDue(workflows: readonly string[]): Promise<number | undefined> {
    const params = { workflows: JSON.stringify(workflows) };
    const [row] = await this.#runner.all(this.#database.reader, instances.nextDue, params);
    return row?.wake_at ?? undefined;
  }

  async unblock(workflows: readonly string[], now: number): Promise<void> {
    const params = { workflows: JSON.stringify(workflows), now };
    await inTransaction(this.#database, (transaction) =>
      this.#runner.run(transaction, instances.unblockInstances, params),
    );
  }

  async histories(ids: readonly string[]): Promise<Map<string, HistoryEvent[] | Error>> {
    const histories = new Map<string, HistoryEvent[] | Error>();
    const list = JSON.stringify(ids);
    let last: HistoryRow | undefined;
    do {
      const params = { ids: list, afterId: last?.instance_id ?? "", afterSeq: last?.seq ?? 0, limit: HISTORY_PAGE };
      const page = await this.#runner.all(this.#database.reader, historyPage, params);
      for (const row of page) addEvent(histories, row);
      last = page.length === HISTORY_PAGE ? page.at(-1) : undefined;
      if (last) await new Promise((resolve) => setImmediate(resolve));
    } while (last);
    return histories;
  }

  async instance(id: string): Promise<InstanceRecord | undefined> {
    const [row] = await this.#runner.all(this.#database.reader, instances.instanceById, { id });
    return row && recordOf(row);
  }

  async list(filter: ListFilter): Promise<InstanceRecord[]> {
    const rows = await this.#runner.all(this.#database.reader, instances.listInstances, {
      workflow: filter.workflow,
      status: filter.status,
      createdBefore: filter.after?.createdAt ?? Number.MAX_SAFE_INTEGER,
      beforeId: filter.after?.id ?? "",
      limit: filter.limit,
    });
    return rows.map(recordOf);
  }

  async ended(ids: readonly string[]): Promise<Ending[]> {
    const rows = await this.#runner.all(this.#database.reader, instances.endedAmong, { ids: JSON.stringify(ids) });
    return rows.map((row) => ({ ...row, status: row.status as InstanceStatus }));
  }

  addWorker(worker: WorkerRecord, lease: number, now: number): Promise<boolean> {
    return inTransaction(this.#database, async (transaction) => {
      const added = await this.#runner.run(transaction, workers.insertWorker, { ...worker, lease });
      if (added === 0) return false;
      await this.#runner.run(transaction, instances.freeInstancesOf, { workerId: worker.id, now });
      return true;
    });
  }

  async renewLease({ id, incarnation }: WorkerRecord, lease: number): Promise<boolean> {
    const params = { id, incarnation, lease };
    return (
      (await inTransaction(this.#database, (transaction) =>
        this.#runner.run(transaction, workers.renewLease, params),
      )) > 0
    );
  }

  async workers(): Promise<(WorkerRecord & { expired: boolean })[]> {
    const rows = await this.#runner.all(this.#database.reader, workers.allWorkers, {});
    return rows.map(({ expired, ...worker }) => ({ ...worker, expired: expired === 1 }));
  }

  removeWorkers(gone: readonly WorkerRecord[], now: number): Promise<void> {
    return inTransaction(this.#database, async (transaction) => {
      for (const { id, incarnation } of gone) {
        await this.#runner.run(transaction, workers.deleteWorker, { id, incarnation });
      }
      await this.#runner.run(transaction, instances.freeOrphans, { now });
    });
  }

  async hasOrphans(): Promise<boolean> {
    return (await this.#runner.all(this.#database.reader, workers.orphanedOwner, {})).length > 0;
  }

  changedByOthers(): boolean | undefined {
    return this.#database.changedByOthers?.();
  }

  isTransient(error: unknown): boolean {
    return this.#database.isTransient(error);
  }

  close(): Promise<void> {
    return this.#database.close();
  }
}

function addEvent(histories: Map<string, HistoryEvent[] | Error>, row: HistoryRow): void {
  const history = histories.get(row.instance_id);
  if (history instanceof Error) return;
  try {
    const event = eventOf(row);
    if (history) history.push(event);
    else histories.set(row.instance_id, [event]);
  } catch (error) {
    histories.set(row.instance_id, error instanceof Error ? error : new Error(String(error)));
  }
}

function recordOf(row: instances.InstanceRow): InstanceRecord {
  return {
    id: row.id,
    workflow: row.workflow,
    status: row.status as InstanceStatus,
    input: row.input,
    output: row.output,
    error: row.error,
    tags: row.tags,
    priority: row.priority,
    workerId: row.worker_id,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    completedAt: row.completed_at,
  };
}
