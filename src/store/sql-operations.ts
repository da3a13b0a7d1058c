import type { Database } from "./database.ts";
import type { Backlog, Operations, OutboxBacklog, WorkerStanding } from "./operations.ts";
import { retryTransient } from "./retry-transient.ts";
import type { Params, Runner } from "./runner.ts";
import type { Statement } from "./statement.ts";
import * as statements from "./statements/operations.ts";

/** Workflows of which a backlog tells. */
const WORKFLOWS = 20;

/** What operators ask, on any SQL database; slow questions wait for each other, and nothing of the engine's for them. */
export class SqlOperations implements Operations {
  readonly database: Operations["database"];
  readonly #database: Database;
  readonly #runner: Runner;

  constructor(database: Database, runner: Runner) {
    this.database = database.dialect.name;
    this.#database = database;
    this.#runner = runner;
  }

  async version(): Promise<string> {
    const [row] = await this.#read(statements.serverVersion, {});
    return row?.version ?? "unknown";
  }

  async journalMode(): Promise<string | undefined> {
    if (this.database !== "sqlite") return undefined;
    const [row] = await this.#read(statements.journalMode, {});
    return row?.journal_mode;
  }

  async isLockHeld(name: string): Promise<boolean | undefined> {
    const [row] = await this.#read(statements.isLockHeld, { name });
    return row?.held === null || row === undefined ? undefined : row.held === 1;
  }

  async workers(): Promise<WorkerStanding[]> {
    const rows = await this.#read(statements.listWorkers, {});
    return rows.map(({ id, host, pid, born, instances, locked, ...row }) => ({
      id,
      host,
      pid,
      born,
      instances,
      startedAt: row.started_at,
      expiresAt: row.expires_at,
      expired: row.expired === 1,
      holdsLock: locked === null ? undefined : locked === 1,
    }));
  }

  overdue(before: number): Promise<Backlog[]> {
    return this.#read(statements.overdueInstances, { before, limit: WORKFLOWS });
  }

  blocked(): Promise<Backlog[]> {
    return this.#read(statements.blockedInstances, { limit: WORKFLOWS });
  }

  outboxBacklog(before: number): Promise<OutboxBacklog[]> {
    return this.#read(statements.outboxBacklog, { before });
  }

  #read<Name extends string, Row>(statement: Statement<Name, Row>, params: Params<Name>): Promise<Row[]> {
    return retryTransient(this.#database, () => this.#runner.all(this.#database.viewer, statement, params));
  }
}
