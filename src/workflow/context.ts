import type { Duration } from "../core/duration.ts";
import type { ActivityCallOptions, AnyActivity } from "./activity.ts";

/** Structural logging: a message and data. pino, winston and `console` can be adapted in a line. */
export interface Logger {
  debug(message: string, data?: Readonly<Record<string, unknown>>): void;
  info(message: string, data?: Readonly<Record<string, unknown>>): void;
  warn(message: string, data?: Readonly<Record<string, unknown>>): void;
  error(message: string, data?: Readonly<Record<string, unknown>>): void;
}

/** What the engine does for a workflow's context. */
export interface WorkflowOperations {
  activity(activity: AnyActivity, options: ActivityCallOptions, args: readonly unknown[]): Promise<unknown>;
}

/**
 * What a workflow can do. Every method is durable: after a crash it gives the same answer again.
 *
 * Workflow code must be deterministic: no clock, randomness or I/O but through this context and activities.
 */
export interface WorkflowContext {
  readonly instanceId: string;
  readonly workflowName: string;
  /** Whether the code is being answered from history at this moment. Use it for display, never to branch. */
  readonly isReplaying: boolean;
  /** Silent while replaying, so that a line is not written again at each recovery. */
  readonly log: Logger;

  /**
   * Waits. The deadline is fixed when it is first called; crashes and deploys do not extend it, and a waiting instance
   * costs no memory once it is set aside.
   *
   * @example
   * await ctx.sleep("3 days");
   */
  sleep(duration: Duration): Promise<void>;
  /** Waits until a point in time; one in the past ends at once. */
  sleepUntil(date: Date): Promise<void>;

  /** The time in epoch milliseconds, recorded at the first call. */
  now(): number;
  /** A number from 0 up to, but not including, 1, recorded at the first call. */
  random(): number;
  /** A random UUID (version 4), recorded at the first call. */
  uuid(): string;

  /** The engine's door; not for users. */
  readonly "~operations": WorkflowOperations;
}

/**
 * The user's door into the transaction that also writes the activity's record: rows and record are committed together,
 * or neither is. The transaction begins at first use and belongs to one attempt.
 */
export interface Session {
  /**
   * Begins the transaction if it has not begun. `query` and `savepoint` do so by themselves; `client` needs it only
   * when another activity's transaction may be open.
   */
  begin(): Promise<void>;
  /**
   * Runs one statement with positional parameters (`?` on SQLite) and returns its rows.
   *
   * @example
   * await ctx.session.query("insert into payments (order_id, amount) values (?, ?)", [orderId, amount]);
   */
  query<Row = Record<string, unknown>>(sql: string, params?: readonly SqlValue[]): Promise<Row[]>;
  /** The driver's own object inside the transaction, for query builders: on SQLite a `DatabaseSync` of `node:sqlite`. */
  readonly client: unknown;
  /** Runs `body` in a savepoint: when it throws, what it wrote is undone and the error goes on. */
  savepoint<T>(body: () => T | Promise<T>): Promise<T>;
  /** Runs `callback` once the transaction is committed. Lost in a crash right after the commit: not for real work. */
  afterCommit(callback: () => void | Promise<void>): void;
}

/** What can be given as a parameter of a statement. */
export type SqlValue = string | number | bigint | null | Uint8Array;

/** What an activity knows and can do. */
export interface ActivityContext {
  readonly instanceId: string;
  readonly workflowName: string;
  /** `name:n`, or the id given by `.with({ id })`. */
  readonly activityId: string;
  /** 1 for the first attempt. Crashes do not reset it, but an attempt cut off by a crash is not counted. */
  readonly attempt: number;
  /** The same for every attempt, also after crashes: hand it to services that deduplicate. */
  readonly idempotencyKey: string;
  /** Aborted when the attempt times out, when the app shuts down without waiting longer, and when the instance was lost to another worker. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  readonly session: Session;
}
