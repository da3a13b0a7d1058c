import type { Database } from "./database.ts";
import type { Backlog, Operations, OutboxBacklog, WorkerStanding } from "./operations.ts";
import { retrying } from "./retry-transient.ts";
import type { Queries, Runner } from "./runner.ts";
import * as statements from "./statements/operations.ts";

/** Workflows of which a backlog tells. */
const WORKFLOWS = 20;

/** What operators ask, on any SQL database; slow questions wait for each other, and nothing of the engine's for them. */
export class SqlOperations implements Operations {
  readonly database: Operations["database"];
  readonly #viewer: Queries;

  constructor(database: Database, runner: Runner) {
    this.database = database.dialect.name;
    this.#viewer = retrying(database, runner.on(database.viewer));
  }

  async version(): Promise<string> {
    const [row] = await this.#viewer.all(statements.serverVersion, {});
    return row?.version ?? "unknown";
  }

  async journalMode(): Promise<string | undefined> {
    if (this.database !== "sqlite") return undefined;
    const [row] = await this.#viewer.all(statements.journalMode, {});
    return row?.journal_mode;
  }

  async isLockHeld(name: string): Promise<boolean | undefined> {
    const [row] = await this.#viewer.all(statements.isLockHeld, { name });
    return row?.held === null || row === undefined ? undefined : row.held === 1;
  }

  async workers(): Promise<WorkerStanding[]> {
    const rows = await this.#viewer.all(statements.listWorkers, {});
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
    return this.#viewer.all(statements.overdueInstances, { before, limit: WORKFLOWS });
  }

  blocked(): Promise<Backlog[]> {
    return this.#viewer.all(statements.blockedInstances, { limit: WORKFLOWS });
  }

  outboxBacklog(before: number): Promise<OutboxBacklog[]> {
    return this.#viewer.all(statements.outboxBacklog, { before });
  }
}
