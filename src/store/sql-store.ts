import type { Change, ChangeResult } from "../core/commit.ts";
import type { HistoryEvent, MessageAttributes } from "../core/history.ts";
import type { InstanceStatus } from "../core/status.ts";
import { applyEach } from "./batch/each.ts";
import { applyOnMysql } from "./batch/mysql.ts";
import { applyOnPostgres } from "./batch/postgres.ts";
import { type Batches, Committer } from "./commit.ts";
import type { Database, LiveConnection } from "./database.ts";
import { qualify } from "./naming.ts";
import { retryTransient } from "./retry-transient.ts";
import { eventOf } from "./rows.ts";
import { type Params, Runner } from "./runner.ts";
import type { Statement } from "./statement.ts";
import { type HistoryRow, historyPage } from "./statements/history.ts";
import * as instances from "./statements/instances.ts";
import * as messages from "./statements/messages.ts";
import * as workers from "./statements/workers.ts";
import type {
  Claim,
  Deaths,
  DueFilter,
  Ending,
  InboxMessage,
  InstanceRecord,
  ListFilter,
  Owned,
  Store,
  StoreTransaction,
  Survey,
  WorkerRecord,
} from "./store.ts";
import { StoreSession } from "./store-session.ts";
import { inTransaction } from "./transaction.ts";

/** Events or messages read in one go; other work gets its turn between two pages. */
const PAGE = 1_000;

/** Nobody died: instances are handed back, or were never begun. */
const HANDED_BACK = { died: 0, maxRecoveries: 0, quarantine: null } as const;

/** The store on any SQL database. */
export class SqlStore implements Store {
  readonly #database: Database;
  readonly #runner: Runner;
  readonly #committer: Committer;

  constructor(database: Database) {
    this.#database = database;
    this.#runner = new Runner(database);
    this.#committer = new Committer(database, this.#runner, batchesFor(database, this.#runner));
  }

  commit(changes: readonly Change[], inDoubt: boolean): Promise<ChangeResult[]> {
    return this.#committer.commit(changes, inDoubt);
  }

  async begin(): Promise<StoreTransaction> {
    const transaction = await this.#database.share();
    await transaction.begun;
    return new StoreSession(transaction, this.#database, this.#runner, this.#committer);
  }

  beginNow(): StoreTransaction | undefined {
    const transaction = this.#database.shareNow();
    return transaction && new StoreSession(transaction, this.#database, this.#runner, this.#committer);
  }

  idle(): Promise<void> | undefined {
    return this.#database.idle?.();
  }

  claim(workerId: string, { workflows, ...due }: DueFilter): Promise<Claim[]> {
    const params = { ...due, workflows, workerId };
    if (this.#database.dialect.hasReturning) {
      return this.#runner.all(this.#database.writer, instances.claimDue, params);
    }
    return inTransaction(this.#database, async (transaction) => {
      const claims = await this.#runner.all(transaction, instances.lockDue, params);
      const ids = claims.map(({ id }) => id);
      if (claims.length > 0) await this.#runner.run(transaction, instances.claimThese, { workerId, ids, now: due.now });
      return claims;
    });
  }

  async nextDue(workflows: readonly string[], mostRecoveries: number): Promise<number | undefined> {
    const params = { workflows, mostRecoveries };
    const [row] = await this.#read(instances.nextDue, params);
    return row?.wake_at ?? undefined;
  }

  async unblock(workflows: readonly string[], now: number, maxRecoveries: number): Promise<void> {
    await this.#write(instances.unblockInstances, { workflows, now, maxRecoveries });
  }

  async histories(ids: readonly string[]): Promise<Map<string, HistoryEvent[] | Error>> {
    const histories = new Map<string, HistoryEvent[] | Error>();
    let last: HistoryRow | undefined;
    do {
      const params = { ids, afterId: last?.instance_id ?? "", afterSeq: last?.seq ?? 0, limit: PAGE };
      const page = await this.#read(historyPage, params);
      for (const row of page) addEvent(histories, row);
      last = page.length === PAGE ? page.at(-1) : undefined;
      if (last) await new Promise((resolve) => setImmediate(resolve));
    } while (last);
    return histories;
  }

  async unread(ids: readonly string[]): Promise<Map<string, InboxMessage[]>> {
    const inboxes = new Map<string, InboxMessage[]>();
    let last: messages.MessageRow | undefined;
    do {
      const after = { afterId: last?.instance_id ?? "", afterPosition: last?.position ?? 0 };
      const page = await this.#read(messages.unread, { ids, ...after, limit: PAGE });
      for (const row of page) {
        const inbox = inboxes.get(row.instance_id) ?? [];
        inboxes.set(row.instance_id, inbox);
        inbox.push(messageOf(row));
      }
      last = page.length === PAGE ? page.at(-1) : undefined;
    } while (last);
    return inboxes;
  }

  async called(workerId: string): Promise<string[]> {
    return (await this.#read(messages.called, { workerId })).map(({ id }) => id);
  }

  async answerCalls(workerId: string, ids: readonly string[]): Promise<Map<string, number>> {
    await this.#write(messages.answerCall, { workerId, ids });
    const rows = await this.#read(messages.signalsOf, { ids });
    return new Map(rows.map(({ id, signals }) => [id, signals]));
  }

  async instance(id: string): Promise<InstanceRecord | undefined> {
    const [row] = await this.#read(instances.instanceById, { id });
    return row && recordOf(row);
  }

  async list(filter: ListFilter): Promise<InstanceRecord[]> {
    const rows = await this.#read(instances.listInstances, {
      workflow: filter.workflow,
      status: filter.status,
      createdBefore: filter.after?.createdAt ?? Number.MAX_SAFE_INTEGER,
      beforeId: filter.after?.id ?? "",
      limit: filter.limit,
    });
    return rows.map(recordOf);
  }

  async standings(ids: readonly string[]): Promise<Ending[]> {
    const rows = await this.#read(instances.standingsOf, { ids });
    return rows.map((row) => ({ ...row, status: row.status as InstanceStatus }));
  }

  async ended(ids: readonly string[]): Promise<Ending[]> {
    const rows = await this.#read(instances.endedAmong, { ids });
    return rows.map((row) => ({ ...row, status: row.status as InstanceStatus }));
  }

  addWorker(worker: WorkerRecord, lockName: string | null, lease: number, now: number): Promise<boolean> {
    const { id, incarnation } = worker;
    return this.#retry(() =>
      inTransaction(this.#database, async (transaction) => {
        if ((await this.#runner.run(transaction, workers.insertWorker, { ...worker, lockName, lease })) === 0) {
          // It may be there because an earlier try was not answered.
          const [holder] = await this.#runner.all(transaction, workers.incarnationOf, { id });
          return holder?.incarnation === incarnation;
        }
        await this.#runner.run(transaction, instances.freeInstancesOf, { workerId: id, now, ...HANDED_BACK });
        return true;
      }),
    );
  }

  async renewLease({ id, incarnation }: WorkerRecord, lease: number): Promise<boolean> {
    return (await this.#write(workers.renewLease, { id, incarnation, lease })) > 0;
  }

  async setLock({ id, incarnation }: WorkerRecord, lockName: string | null): Promise<void> {
    await this.#write(workers.setLock, { id, incarnation, lockName });
  }

  async survey(workflows: readonly string[], mostRecoveries: number): Promise<Survey> {
    const rows = await this.#read(workers.survey, { workflows, mostRecoveries });
    return {
      workers: rows.flatMap(({ id, incarnation, host, pid, born, expired, locked }) =>
        id === null ? [] : [{ id, incarnation, host, pid, born, expired: expired === 1, hasLostLock: locked === 0 }],
      ),
      nextDue: rows[0]?.next_due ?? undefined,
      hasOrphans: rows[0]?.orphans === 1,
    };
  }

  removeWorkers(gone: readonly WorkerRecord[], now: number, deaths: Deaths | undefined): Promise<void> {
    const freeing = deaths ? { died: 1, ...deaths } : HANDED_BACK;
    return this.#retry(() =>
      inTransaction(this.#database, async (transaction) => {
        for (const { id, incarnation } of gone) {
          await this.#runner.run(transaction, workers.deleteWorker, { id, incarnation });
        }
        await this.#runner.run(transaction, instances.freeOrphans, { now, ...freeing });
      }),
    );
  }

  ownedBy(workerId: string): Promise<Owned[]> {
    return this.#read(instances.ownedBy, { workerId });
  }

  async free(workerId: string, { id, epoch }: Owned, now: number): Promise<void> {
    await this.#write(instances.freeInstance, { workerId, id, epoch, now, ...HANDED_BACK });
  }

  async time(): Promise<number> {
    const [row] = await this.#read(workers.databaseTime, {});
    return row?.now ?? Date.now();
  }

  get isRemote(): boolean {
    return this.#database.dialect.name !== "sqlite";
  }

  get channel(): string {
    // PostgreSQL allows 63 bytes; the end tells channels apart.
    return qualify("romancy_channel", this.#database.naming).replaceAll('"', "").slice(-63);
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

  destroy(): void {
    this.#database.destroy?.();
  }

  async live(): Promise<LiveConnection | undefined> {
    return this.#database.live?.();
  }

  get hasMessages(): boolean {
    return this.#database.notify !== undefined;
  }

  async notify(payload: string): Promise<void> {
    await this.#database.notify?.(this.channel, payload);
  }

  #read<Name extends string, Row>(statement: Statement<Name, Row>, params: Params<Name>): Promise<Row[]> {
    return this.#retry(() => this.#runner.all(this.#database.reader, statement, params));
  }

  #write<Name extends string>(statement: Statement<Name>, params: Params<Name>): Promise<number> {
    return this.#retry(() => this.#runner.run(this.#database.writer, statement, params));
  }

  #retry<T>(work: () => Promise<T>): Promise<T> {
    return retryTransient(this.#database, work);
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

function messageOf(row: messages.MessageRow): InboxMessage {
  return {
    position: row.position,
    type: row.type,
    key: row.message_key,
    attributes: JSON.parse(row.attributes) as MessageAttributes,
    data: row.data,
  };
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

function batchesFor(database: Database, runner: Runner): Batches {
  const each: Batches["each"] = (changes) =>
    inTransaction(database, (transaction) => applyEach(transaction, runner, changes));
  switch (database.dialect.name) {
    case "postgres":
      return { plain: (changes) => applyOnPostgres(database, runner, changes), each };
    case "mysql":
      return { plain: (changes) => applyOnMysql(database, changes), each };
    case "sqlite":
      return { each };
  }
}
