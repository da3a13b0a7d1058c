/**
 * The port between engine and database. Each method is one transaction (or one read), so that what a crash can leave
 * behind is exactly what the methods' sentences say.
 */
import type { Change, ChangeResult } from "../core/commit.ts";
import type { HistoryEvent } from "../core/history.ts";
import type { InstanceStatus } from "../core/status.ts";
import type { SqlValue } from "./sql.ts";

/** An instance that the worker has just become the owner of. */
export interface Claim {
  readonly id: string;
  readonly workflow: string;
  /** Encoded list of arguments. */
  readonly input: string;
  /** The fencing token of this ownership. */
  readonly epoch: number;
  /** Deliveries at the time of the claim. */
  readonly signals: number;
}

/** A row about an instance; times in epoch milliseconds, values encoded. */
export interface InstanceRecord {
  readonly id: string;
  readonly workflow: string;
  readonly status: InstanceStatus;
  readonly input: string;
  readonly output: string | null;
  readonly error: string | null;
  /** JSON object of strings. */
  readonly tags: string | null;
  readonly priority: number;
  readonly workerId: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly completedAt: number | null;
}

/** How an instance ended. */
export type Ending = Pick<InstanceRecord, "id" | "workflow" | "status" | "output" | "error">;

export interface ListFilter {
  readonly workflow: string | null;
  readonly status: InstanceStatus | null;
  /** Only instances that come after this one in the listing. */
  readonly after: { readonly createdAt: number; readonly id: string } | null;
  readonly limit: number;
}

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
interface WorkerSighting extends WorkerRecord {
  /** Whether its lease has run out, by the database's clock. */
  readonly expired: boolean;
}

/** A transaction that user code and the engine share. */
export interface StoreTransaction {
  readonly client: unknown;
  query(text: string, values: readonly SqlValue[]): Promise<Readonly<Record<string, unknown>>[]>;
  /** Applies a change; it stands when the transaction is committed. */
  apply(change: Change): Promise<ChangeResult>;
  /** Applies the change and commits. When it is not applied, everything is rolled back. */
  commitWith(change: Change): Promise<ChangeResult>;
  rollback(): Promise<void>;
}

export interface Store {
  /** Applies the changes in one transaction, each judged by itself; results in the same order. */
  commit(changes: readonly Change[]): Promise<ChangeResult[]>;
  /** Begins a transaction for user code. */
  begin(): Promise<StoreTransaction>;
  /** The same at once, or `undefined` when it would have to wait. */
  beginNow(): StoreTransaction | undefined;
  /** `undefined` when `beginNow` need not wait for another transaction of this process; else resolves: ask again. */
  idle(): Promise<void> | undefined;

  /** Makes due instances of known workflows the worker's, at most `limit`. */
  claim(workerId: string, workflows: readonly string[], limit: number, now: number): Promise<Claim[]>;
  /** When the next unowned instance is due, in epoch milliseconds; `undefined` for never. */
  nextDue(workflows: readonly string[]): Promise<number | undefined>;
  /** Makes blocked instances due again. */
  unblock(workflows: readonly string[], now: number): Promise<void>;

  /**
   * The histories of the instances, each in order; an instance without one is missing. One that this version cannot
   * read is an `Error`.
   */
  histories(ids: readonly string[]): Promise<Map<string, HistoryEvent[] | Error>>;
  instance(id: string): Promise<InstanceRecord | undefined>;
  /** Newest first. */
  list(filter: ListFilter): Promise<InstanceRecord[]>;
  /** Those of the instances that have ended. */
  ended(ids: readonly string[]): Promise<Ending[]>;

  /** Adds a worker, or answers `false` when its id is taken; frees what an earlier worker of that id left. */
  addWorker(worker: WorkerRecord, leaseMilliseconds: number, now: number): Promise<boolean>;
  /** `false` when the worker was declared dead. */
  renewLease(worker: WorkerRecord, leaseMilliseconds: number): Promise<boolean>;
  workers(): Promise<WorkerSighting[]>;
  /** Removes workers and frees their instances, and those of owners that do not exist. */
  removeWorkers(workers: readonly WorkerRecord[], now: number): Promise<void>;
  /** Whether an instance has an owner that does not exist. */
  hasOrphans(): Promise<boolean>;

  /** Whether another process changed the database since the last call, where that can be told cheaply. */
  changedByOthers(): boolean | undefined;
  /** Whether the error passes by itself, so that the same call may succeed later. */
  isTransient(error: unknown): boolean;
  close(): Promise<void>;
}
