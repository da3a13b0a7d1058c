/**
 * The port between engine and database. Each method is one transaction (or one read), so that what a crash can leave
 * behind is exactly what the methods' sentences say.
 */
import type { Change, ChangeResult } from "../core/commit.ts";
import type { HistoryEvent, MessageAttributes } from "../core/history.ts";
import type { InstanceStatus } from "../core/status.ts";
import type { LiveConnection } from "./database.ts";
import type { StoredLeases } from "./leases.ts";
import type { Operations } from "./operations.ts";
import type { StoredOutbox } from "./outbox.ts";
import type { StoredRetention } from "./retention.ts";
import type { SqlValue } from "./sql.ts";

export type { Database, LiveConnection } from "./database.ts";
export type { Deaths, Quarantined, Survey, WorkerRecord, WorkerSighting } from "./leases.ts";
export type { Naming } from "./naming.ts";
export type { Backlog, Operations, OutboxBacklog, WorkerStanding } from "./operations.ts";
export type { ClaimedEvent, OutboxRecord, Settlement, StoredOutbox } from "./outbox.ts";
export type { MysqlPool, PostgresPool } from "./pools.ts";
export type { CreatedPlace, EndedFilter, EndedPage, EndedTree, StoredRetention } from "./retention.ts";

/** A request to cancel an instance. */
export interface CancelRequest {
  /** `null` when none was given. */
  readonly reason: string | null;
}

/** What was asked of an instance that runs. */
export interface Call {
  /** Deliveries by then. */
  readonly signals: number;
  readonly cancel: CancelRequest | undefined;
}

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
  /** How many of its owners have died, one after the other, without that it got any further. */
  readonly recoveries: number;
  /** Whose child it is. */
  readonly parentId: string | undefined;
  /** JSON object of strings: the trace context of whoever started it. */
  readonly traceContext: string | undefined;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly cancel: CancelRequest | undefined;
}

/** Which instances to claim. */
export interface DueFilter {
  readonly workflows: readonly string[];
  /** Epoch milliseconds. */
  readonly now: number;
  readonly limit: number;
  /** `recoveries` from this to that. */
  readonly leastRecoveries: number;
  readonly mostRecoveries: number;
}

/** An instance that a worker owns, by the database's account. */
export interface Owned {
  readonly id: string;
  readonly epoch: number;
}

/** A message in an instance's inbox that has not been read. */
export interface InboxMessage {
  readonly position: number;
  /** Whether it is an event, a channel's message, or the end of a child. */
  readonly kind: "event" | "channel" | "child";
  /** The event's type, the channel, or the child's id. */
  readonly type: string;
  readonly key: string | null;
  readonly attributes: MessageAttributes;
  /** Encoded text. */
  readonly data: string;
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
  /** Of its workflow when it began. */
  readonly version: string | null;
  readonly continuedFrom: string | null;
  readonly parentId: string | null;
  readonly rootId: string;
  readonly cancelRequestedAt: number | null;
  readonly cancelReason: string | null;
  /** Encoded list. */
  readonly compensationErrors: string | null;
  readonly workerId: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly completedAt: number | null;
}

/** How an instance ended, or stands. */
export type Ending = Pick<
  InstanceRecord,
  "id" | "workflow" | "status" | "output" | "error" | "cancelReason" | "compensationErrors"
>;

/** A row about an instance, without what may be large. */
export type SummaryRecord = Omit<InstanceRecord, "input" | "output" | "error" | "compensationErrors">;

/** Which instances to list; times in epoch milliseconds, `null` for whatever there is. */
export interface ListFilter {
  readonly order: "newest" | "oldest";
  /** Only what comes behind this place. */
  readonly start: { readonly createdAt: number; readonly id: string };
  /** Newest first: down to that time; oldest first: up to before it. */
  readonly endAt: number;
  readonly statuses: readonly InstanceStatus[] | null;
  readonly workflows: readonly string[] | null;
  readonly version: string | null;
  /** Ids from this one to before that one. */
  readonly ids: { readonly from: string; readonly to: string } | null;
  /** What the id or the workflow's name contains. */
  readonly search: string | null;
  /** JSON object of strings. */
  readonly tags: string | null;
  readonly parentId: string | null;
  readonly rootId: string | null;
  readonly updated: TimeRange;
  /** `null` for those that have not ended, too. */
  readonly completed: TimeRange | null;
  /** What the input holds, all of it. */
  readonly input: readonly InputCondition[];
  readonly limit: number;
}

export interface TimeRange {
  readonly from: number;
  readonly before: number;
}

/** A value within an encoded input. */
export interface InputCondition {
  /** Names, without quotes, and positions. */
  readonly steps: readonly (string | number)[];
  /** A text, number, boolean or null, as JSON. */
  readonly value: string;
}

/** A transaction that user code and the engine share. */
export interface StoreTransaction {
  /** Resolves once it has begun; its statements wait for that by themselves. */
  readonly begun: Promise<void>;
  readonly client: unknown;
  query(text: string, values: readonly SqlValue[]): Promise<Readonly<Record<string, unknown>>[]>;
  /** Applies a change; it stands when the transaction is committed. */
  apply(change: Change): Promise<ChangeResult>;
  /** Applies the change and commits. When it is not applied, everything is rolled back. */
  commitWith(change: Change): Promise<ChangeResult>;
  rollback(): Promise<void>;
}

/** What users look at. Slow looks wait for each other, and nothing of the engine's waits for them. */
export interface Views {
  instance(id: string): Promise<InstanceRecord | undefined>;
  /** In the filter's order. */
  list(filter: ListFilter): Promise<SummaryRecord[]>;
  /** In order; empty when there is none. */
  history(id: string): Promise<HistoryEvent[]>;
}

export interface Store {
  readonly views: Views;
  readonly leases: StoredLeases;
  readonly outbox: StoredOutbox;
  readonly operations: Operations;
  readonly retention: StoredRetention;
  /**
   * Applies the changes, in one transaction unless one is refused, each judged by itself; results in the same order.
   * `inDoubt` when an earlier try rejected, and so may have taken place.
   */
  commit(changes: readonly Change[], inDoubt: boolean): Promise<ChangeResult[]>;
  /** Begins a transaction for user code. */
  begin(): Promise<StoreTransaction>;
  /** The same at once, or `undefined` when it would have to wait. */
  beginNow(): StoreTransaction | undefined;
  /** `undefined` when `beginNow` need not wait for another transaction of this process; else resolves: ask again. */
  idle(): Promise<void> | undefined;

  /** Makes due instances of known workflows the worker's. When it rejects, it may have done so: see `ownedBy`. */
  claim(workerId: string, filter: DueFilter): Promise<Claim[]>;
  /** When the next unowned instance is due, in epoch milliseconds; `undefined` for never. */
  nextDue(workflows: readonly string[], mostRecoveries: number): Promise<number | undefined>;
  /** Makes blocked instances due again, but for those whose owners died too often. */
  unblock(workflows: readonly string[], now: number, maxRecoveries: number): Promise<void>;
  /** What the worker owns. */
  ownedBy(workerId: string): Promise<Owned[]>;
  /** Gives one of them back. */
  free(workerId: string, instance: Owned, now: number): Promise<void>;

  /**
   * The histories of the instances, each in order; an instance without one is missing. One that this version cannot
   * read is an `Error`.
   */
  histories(ids: readonly string[]): Promise<Map<string, HistoryEvent[] | Error>>;
  /** What the instances have not read, each in order; an instance without such is missing. */
  unread(ids: readonly string[]): Promise<Map<string, InboxMessage[]>>;
  /** Those of the worker's instances that were called since they were looked at: something is in their inboxes. */
  called(workerId: string): Promise<string[]>;
  /** Takes note of calls, so that later ones are seen again; gives them by instance. The inboxes are read after. */
  answerCalls(workerId: string, ids: readonly string[]): Promise<Map<string, Call>>;
  /** How the instances stand; one that does not exist is missing. */
  standings(ids: readonly string[]): Promise<Ending[]>;
  /** Those of the instances that have ended. */
  ended(ids: readonly string[]): Promise<Ending[]>;
  /** What the instance went on as: the last of its chain. */
  current(id: string): Promise<string>;

  /** Which of the channels have messages to be taken. */
  channelsWithMessages(channels: readonly string[]): Promise<string[]>;
  /** Some of the competing channels that have messages for which somebody waits. */
  stalledChannels(): Promise<string[]>;
  /**
   * Removes, of messages that one was to take, some that were taken before the first time, and some that nobody
   * competes for and that are older than the second; tells whether more may be left.
   */
  forgetMessages(takenBefore: number, unclaimedBefore: number): Promise<boolean>;

  /** How many commits are worth having under way at once. */
  readonly commitsAtOnce: number;
  /** Whether the database is on another machine, perhaps, with a clock of its own. */
  readonly isRemote: boolean;
  /** The database's clock, in epoch milliseconds. */
  time(): Promise<number>;
  /** Where messages between processes on this schema go. */
  readonly channel: string;
  /** A connection by which others can tell that this process lives, where the database has such. */
  live(): Promise<LiveConnection | undefined>;
  /** Whether processes can tell each other something through the database. */
  readonly hasMessages: boolean;
  /** Tells all who listen. */
  notify(payload: string): Promise<void>;
  /** Whether another process changed the database since the last call, where that can be told cheaply. */
  changedByOthers(): boolean | undefined;
  /** Whether the error passes by itself, so that the same call may succeed later. */
  isTransient(error: unknown): boolean;
  close(): Promise<void>;
  /** Instead of `close` when that takes too long: breaks off whatever is under way. */
  destroy(): void;
}
