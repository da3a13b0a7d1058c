/** Workers and their leases on any SQL database. */
import type { Database } from "./database.ts";
import type { Deaths, Quarantined, StoredLeases, Survey, WorkerRecord, WorkerSighting } from "./leases.ts";
import { retrying, retryTransient } from "./retry-transient.ts";
import type { Params, Queries, Runner } from "./runner.ts";
import * as instances from "./statements/instances.ts";
import { freeEventsOf, freeOrphanEvents } from "./statements/outbox.ts";
import * as workers from "./statements/workers.ts";
import { inTransaction } from "./transaction.ts";

export class SqlLeases implements StoredLeases {
  readonly #database: Database;
  readonly #runner: Runner;
  readonly #reader: Queries;
  readonly #writer: Queries;

  constructor(database: Database, runner: Runner) {
    this.#database = database;
    this.#runner = runner;
    this.#reader = retrying(database, runner.on(database.reader));
    this.#writer = retrying(database, runner.on(database.writer));
  }

  add(worker: WorkerRecord, lockName: string | null, lease: number, now: number): Promise<boolean> {
    const { id, incarnation } = worker;
    return retryTransient(this.#database, () =>
      inTransaction(this.#database, async (transaction) => {
        if ((await this.#runner.run(transaction, workers.insertWorker, { ...worker, lockName, lease })) === 0) {
          // It may be there because an earlier try was not answered.
          const [holder] = await this.#runner.all(transaction, workers.incarnationOf, { id });
          return holder?.incarnation === incarnation;
        }
        await this.#runner.run(transaction, instances.freeInstancesOf, { workerId: id, now, ...instances.HANDED_BACK });
        await this.#runner.run(transaction, freeEventsOf, { workerId: id, token: null });
        return true;
      }),
    );
  }

  async renew({ id, incarnation }: WorkerRecord, lockName: string | null, lease: number): Promise<boolean> {
    return (await this.#writer.run(workers.renewLease, { id, incarnation, lockName, lease })) > 0;
  }

  async setLock({ id, incarnation }: WorkerRecord, lockName: string | null): Promise<void> {
    await this.#writer.run(workers.setLock, { id, incarnation, lockName });
  }

  async survey(workflows: readonly string[]): Promise<Survey> {
    const rows = await this.#reader.all(workers.survey, { workflows, mostRecoveries: Number.MAX_SAFE_INTEGER });
    return {
      workers: rows.flatMap(({ id, incarnation, host, pid, born, expires_at: expiresAt, expired, locked }) =>
        id === null
          ? []
          : [{ id, incarnation, host, pid, born, expiresAt, expired: expired === 1, hasLostLock: locked === 0 }],
      ),
      nextDue: rows[0]?.next_due ?? undefined,
      nextEvent: rows[0]?.next_event ?? undefined,
      hasOrphans: rows[0]?.orphans === 1,
    };
  }

  remove(dead: readonly WorkerSighting[], now: number, deaths: Deaths): Promise<Quarantined[]> {
    return this.#remove(dead, { now, ...(dead.length > 0 ? { died: 1, ...deaths } : instances.HANDED_BACK) });
  }

  async leave(worker: WorkerRecord, now: number): Promise<void> {
    await this.#remove([{ ...worker, expiresAt: null }], { now, ...instances.HANDED_BACK });
  }

  async #remove(
    gone: readonly (WorkerRecord & { readonly expiresAt: number | null })[],
    freeing: Params<instances.FreeParams>,
  ): Promise<Quarantined[]> {
    // Of every try: one whose commit was not answered may have blocked them, and the next one finds them blocked.
    const quarantined = new Map<string, Quarantined>();
    await retryTransient(this.#database, () =>
      inTransaction(this.#database, async (transaction) => {
        for (const { id, incarnation, expiresAt } of gone) {
          await this.#runner.run(transaction, workers.deleteWorker, { id, incarnation, expiresAt });
        }
        const { died, maxRecoveries } = freeing;
        const blocked =
          died === 1 ? await this.#runner.all(transaction, instances.orphansToBlock, { maxRecoveries }) : [];
        await this.#runner.run(transaction, instances.freeOrphans, freeing);
        await this.#runner.run(transaction, freeOrphanEvents, {});
        for (const { id, workflow, trace_context: traceContext } of blocked) {
          quarantined.set(id, { id, workflow, traceContext: traceContext ?? undefined });
        }
      }),
    );
    return [...quarantined.values()];
  }
}
