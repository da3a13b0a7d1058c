/** The part of the port that is for operators. Each method is one read. */

/** A worker with what it holds. */
export interface WorkerStanding {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly born: string;
  /** Epoch milliseconds of the database's clock, as the others. */
  readonly startedAt: number;
  readonly expiresAt: number;
  /** Whether its lease has run out, by the database's clock. */
  readonly expired: boolean;
  /** Whether the lock is held by which others see that it lives; `undefined` when it has none. */
  readonly holdsLock: boolean | undefined;
  /** How many instances are its own at this moment. */
  readonly instances: number;
}

/** Instances of one workflow that do not get on. */
export interface Backlog {
  readonly workflow: string;
  readonly instances: number;
  /** Epoch milliseconds of the oldest. */
  readonly since: number;
}

/** Events of one status that are not sent. */
export interface OutboxBacklog {
  readonly status: string;
  readonly events: number;
  /** Epoch milliseconds of the oldest. */
  readonly since: number;
}

export interface Operations {
  readonly database: "sqlite" | "postgres" | "mysql";
  /** What the database tells of its version. */
  version(): Promise<string>;
  /** Of SQLite: how it keeps its journal. */
  journalMode(): Promise<string | undefined>;
  /** Whether somebody holds the lock; `undefined` where there are no such locks. */
  isLockHeld(name: string): Promise<boolean | undefined>;
  workers(): Promise<WorkerStanding[]>;
  /** What was due before that time, and is nobody's. */
  overdue(before: number): Promise<Backlog[]>;
  blocked(): Promise<Backlog[]>;
  /** What was to be sent before that time, and what was given up. */
  outboxBacklog(before: number): Promise<OutboxBacklog[]>;
}
