import type { Advance, Change, ChangeResult, Create } from "../core/commit.ts";
import type { HistoryEvent, MessageAttributes } from "../core/history.ts";
import { applyEach } from "./batch/each.ts";
import { mailOrKeep } from "./batch/kept.ts";
import { applyOnMysql } from "./batch/mysql.ts";
import { keepOnMysql } from "./batch/mysql-kept.ts";
import { mailOnMysql, putOnMysql } from "./batch/mysql-mail.ts";
import { applyOnPostgres } from "./batch/postgres.ts";
import { mailOnPostgres } from "./batch/postgres-mail.ts";
import { applyReceives } from "./batch/receives.ts";
import { applyReports, type Ways } from "./batch/reports.ts";
import { SqliteBatch } from "./batch/sqlite.ts";
import { type Batches, type BatchForms, Committer } from "./commit.ts";
import type { Connection, Database, LiveConnection, Together } from "./database.ts";
import type { StoredLeases } from "./leases.ts";
import { type Naming, qualify } from "./naming.ts";
import type { Operations } from "./operations.ts";
import type { StoredOutbox } from "./outbox.ts";
import { forEachRow } from "./pages.ts";
import { cancelOf, claimOf, endingOf } from "./records.ts";
import type { StoredRetention } from "./retention.ts";
import { retrying } from "./retry-transient.ts";
import { eventOf } from "./rows.ts";
import { type Queries, Runner } from "./runner.ts";
import { SqlLeases } from "./sql-leases.ts";
import { SqlOperations } from "./sql-operations.ts";
import { SqlOutbox } from "./sql-outbox.ts";
import { SqlRetention } from "./sql-retention.ts";
import { SqlViews } from "./sql-views.ts";
import * as chains from "./statements/chains.ts";
import * as channels from "./statements/channels.ts";
import { type HistoryRow, historyPage } from "./statements/history.ts";
import * as instances from "./statements/instances.ts";
import * as messages from "./statements/messages.ts";
import * as workers from "./statements/workers.ts";
import type { Call, Claim, DueFilter, Ending, InboxMessage, Owned, Store, StoreTransaction, Views } from "./store.ts";
import { StoreSession } from "./store-session.ts";
import { inTransaction } from "./transaction.ts";

/** Channels looked at in one go, and messages removed. */
const STALLED = 100;
const FORGOTTEN_AT_ONCE = 1_000;

/** The store on any SQL database. */
export class SqlStore implements Store {
  readonly views: Views;
  readonly leases: StoredLeases;
  readonly outbox: StoredOutbox;
  readonly operations: Operations;
  readonly retention: StoredRetention;
  readonly #database: Database;
  readonly #runner: Runner;
  readonly #reader: Queries;
  readonly #writer: Queries;
  readonly #committer: Committer;

  constructor(database: Database) {
    this.#database = database;
    this.#runner = new Runner(database);
    this.#reader = retrying(database, this.#runner.on(database.reader));
    this.#writer = retrying(database, this.#runner.on(database.writer));
    this.views = new SqlViews(database, this.#runner);
    this.leases = new SqlLeases(database, this.#runner);
    this.outbox = new SqlOutbox(database, this.#runner);
    this.operations = new SqlOperations(database, this.#runner);
    this.retention = new SqlRetention(database, this.#runner);
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

  async claim(workerId: string, filter: DueFilter): Promise<Claim[]> {
    const params = { ...filter, workerId };
    // Not tried again here: when the answer is lost, the claimer looks for what has become the worker's.
    const rows = this.#database.dialect.hasReturning
      ? await this.#runner.all(this.#database.writer, instances.claimDue, params)
      : await inTransaction(this.#database, async (transaction) => {
          const due = await this.#runner.all(transaction, instances.lockDue, params);
          const claimed = { workerId, ids: due.map(({ id }) => id), now: filter.now };
          if (due.length > 0) await this.#runner.run(transaction, instances.claimThese, claimed);
          return due;
        });
    return rows.map(claimOf);
  }

  async nextDue(workflows: readonly string[], mostRecoveries: number): Promise<number | undefined> {
    const params = { workflows, mostRecoveries };
    const [row] = await this.#reader.all(instances.nextDue, params);
    return row?.wake_at ?? undefined;
  }

  async unblock(workflows: readonly string[], now: number, maxRecoveries: number): Promise<void> {
    await this.#writer.run(instances.unblockInstances, { workflows, now, maxRecoveries });
  }

  async histories(ids: readonly string[]): Promise<Map<string, HistoryEvent[] | Error>> {
    const histories = new Map<string, HistoryEvent[] | Error>();
    await forEachRow<HistoryRow>(
      (last, limit) =>
        this.#reader.all(historyPage, { ids, afterId: last?.instance_id ?? "", afterSeq: last?.seq ?? 0, limit }),
      (row) => addEvent(histories, row),
    );
    return histories;
  }

  async unread(ids: readonly string[]): Promise<Map<string, InboxMessage[]>> {
    const inboxes = new Map<string, InboxMessage[]>();
    await forEachRow<messages.MessageRow>(
      (last, limit) => {
        const after = { afterId: last?.instance_id ?? "", afterPosition: last?.position ?? 0 };
        return this.#reader.all(messages.unread, { ids, ...after, limit });
      },
      (row) => {
        const inbox = inboxes.get(row.instance_id) ?? [];
        inboxes.set(row.instance_id, inbox);
        inbox.push(messageOf(row));
      },
    );
    return inboxes;
  }

  async called(workerId: string): Promise<string[]> {
    return (await this.#reader.all(messages.called, { workerId })).map(({ id }) => id);
  }

  async answerCalls(workerId: string, ids: readonly string[]): Promise<Map<string, Call>> {
    await this.#writer.run(messages.answerCall, { workerId, ids });
    const rows = await this.#reader.all(messages.callsOf, { ids });
    return new Map(rows.map((row) => [row.id, { signals: row.signals, cancel: cancelOf(row) }]));
  }

  async standings(ids: readonly string[]): Promise<Ending[]> {
    return (await this.#reader.all(instances.standingsOf, { ids })).map(endingOf);
  }

  async ended(ids: readonly string[]): Promise<Ending[]> {
    return (await this.#reader.all(instances.endedAmong, { ids })).map(endingOf);
  }

  async current(id: string): Promise<string> {
    const [last] = await this.#reader.all(chains.lastOfChain, { id });
    return last?.instance_id ?? id;
  }

  async channelsWithMessages(asked: readonly string[]): Promise<string[]> {
    return (await this.#reader.all(channels.channelsWithMessages, { channels: asked })).map(({ channel }) => channel);
  }

  async stalledChannels(): Promise<string[]> {
    return (await this.#reader.all(channels.stalledChannels, { limit: STALLED })).map(({ channel }) => channel);
  }

  async forgetMessages(takenBefore: number, unclaimedBefore: number): Promise<boolean> {
    const limit = FORGOTTEN_AT_ONCE;
    const taken = await this.#writer.run(channels.forgetTaken, { before: takenBefore, limit });
    const unclaimed = await this.#writer.run(channels.forgetUnclaimed, { before: unclaimedBefore, limit });
    return taken === limit || unclaimed === limit;
  }

  ownedBy(workerId: string): Promise<Owned[]> {
    return this.#reader.all(instances.ownedBy, { workerId });
  }

  async free(workerId: string, { id, epoch }: Owned, now: number): Promise<void> {
    await this.#writer.run(instances.freeInstance, { workerId, id, epoch, now, ...instances.HANDED_BACK });
  }

  async time(): Promise<number> {
    const [row] = await this.#reader.all(workers.databaseTime, {});
    return row?.now ?? Date.now();
  }

  get commitsAtOnce(): number {
    return this.#database.commitsAtOnce;
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
  const attributes = JSON.parse(row.attributes) as MessageAttributes;
  return {
    position: row.position,
    // An event has a type, a channel's message a channel, a child's end a child.
    kind: "channel" in attributes ? "channel" : "childId" in attributes ? "child" : "event",
    type: row.type,
    key: row.message_key,
    attributes,
    data: row.data,
  };
}

function batchesFor(database: Database, runner: Runner): Batches {
  const each: Batches["each"] = (changes) =>
    inTransaction(database, (transaction) => applyEach(transaction, runner, changes));
  const withinBy = (ways: Ways): Pick<BatchForms, "reports" | "receives"> => ({
    reports: (changes) => inTransaction(database, (transaction) => applyReports(transaction, runner, changes, ways)),
    receives: (changes) =>
      inTransaction(database, (transaction) => applyReceives(transaction, runner, changes, ways.plain)),
  });
  switch (database.dialect.name) {
    case "postgres": {
      const plain = (on: Connection, changes: readonly (Create | Advance)[]): Promise<ChangeResult[]> =>
        applyOnPostgres(on, runner, changes);
      const mail: BatchForms["mail"] = (changes) => mailOnPostgres(database.writer, runner, changes);
      return {
        // It lets those who wait for each other wait for a second before it ends one of them.
        each: oneAtATime(each),
        forms: {
          plain: (changes) => plain(database.writer, changes),
          ...withinBy({ plain, put: (transaction, messages) => mailOnPostgres(transaction, runner, messages) }),
          mail: (changes) => mailOrKeep(database.reader, runner, changes, { keep: mail, mail }),
        },
      };
    }
    case "mysql": {
      const { dialect, naming } = database;
      const transact = qualified(database.transact?.bind(database), naming);
      return {
        each,
        forms: {
          plain: (changes) => applyOnMysql(transact, dialect, changes),
          ...withinBy({
            plain: ({ together }, changes) => applyOnMysql(qualified(together, naming), dialect, changes),
            put: ({ together }, messages) => putOnMysql(qualified(together, naming), dialect, messages),
          }),
          mail: (changes) =>
            mailOrKeep(database.reader, runner, changes, {
              keep: (kept) =>
                inTransaction(database, (transaction) =>
                  keepOnMysql(qualified(transaction.together, naming), runner.on(transaction), kept),
                ),
              mail: (others) => mailOnMysql(transact, dialect, others),
            }),
        },
      };
    }
    case "sqlite": {
      const batch = new SqliteBatch(database, runner);
      return { each: (changes) => batch.apply(changes) };
    }
  }
}

/** The same for statements that name tables as they are named here. */
function qualified(together: Together | undefined, naming: Naming): Together {
  if (!together) throw new Error("A driver for MySQL must run several statements together.");
  return (statements) => together(statements.map(({ text, values }) => ({ text: qualify(text, naming), values })));
}

/** Of the rows that such a batch locks some are found on the way: two at once may come to wait for each other. */
function oneAtATime(apply: Batches["each"]): Batches["each"] {
  let last: Promise<unknown> = Promise.resolve();
  return (changes) => {
    const applied = last.then(() => apply(changes));
    last = applied.catch(() => {});
    return applied;
  };
}
