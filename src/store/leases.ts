/** The part of the port that is about workers and whether they live. Each method is one transaction. */

/** A worker's identity, from which others on its host can tell whether it lives. */
export interface WorkerRecord {
  readonly id: string;
  /** One start of the worker; another start with the same id has another. */
  readonly incarnation: string;
  readonly host: string;
  readonly pid: number;
  /** When the process was born, in the host's terms; tells it from a later process with the same pid. */
  readonly born: string;
}

/** A worker as others see it. */
export interface WorkerSighting extends WorkerRecord {
  /** When its lease ends, in epoch milliseconds of the database's clock. */
  readonly expiresAt: number;
  /** Whether its lease has run out, by the database's clock. */
  readonly expired: boolean;
  /** Whether the lock that its connection held has been free at this moment. */
  readonly hasLostLock: boolean;
}

/** What a worker sees when it looks around. */
export interface Survey {
  readonly workers: readonly WorkerSighting[];
  /** When the next unowned instance is due, in epoch milliseconds; `undefined` for never. */
  readonly nextDue: number | undefined;
  /** When the next event for a broker is due that nobody sends; `undefined` for never. */
  readonly nextEvent: number | undefined;
  /** Whether an instance or such an event has an owner that does not exist. */
  readonly hasOrphans: boolean;
}

/** What the death of an owner means for its instances. */
export interface Deaths {
  /** One that has seen so many deaths is blocked. */
  readonly maxRecoveries: number;
  /** The encoded error that says so. */
  readonly quarantine: string;
}

/** An instance that was blocked for the deaths of its owners. */
export interface Quarantined {
  readonly id: string;
  readonly workflow: string;
  /** JSON object of strings: the trace context of whoever started it. */
  readonly traceContext: string | undefined;
}

export interface StoredLeases {
  /** Adds a worker, or answers `false` when its id is taken; frees what an earlier worker of that id left. */
  add(worker: WorkerRecord, lockName: string | null, leaseMilliseconds: number, now: number): Promise<boolean>;
  /** `false` when the worker was declared dead. */
  renew(worker: WorkerRecord, lockName: string | null, leaseMilliseconds: number): Promise<boolean>;
  /** Who else is there, and what is to be done. */
  survey(workflows: readonly string[]): Promise<Survey>;
  /** Tells others by which lock they can know that the worker lives. */
  setLock(worker: WorkerRecord, lockName: string | null): Promise<void>;
  /**
   * Removes workers that have died, unless they have given a sign of life since they were seen, and frees their
   * instances, and those of owners that do not exist. Gives those that were blocked instead.
   */
  remove(workers: readonly WorkerSighting[], now: number, deaths: Deaths): Promise<Quarantined[]>;
  /** Removes the worker itself, which hands its instances back. */
  leave(worker: WorkerRecord, now: number): Promise<void>;
}
