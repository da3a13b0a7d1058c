import type { MessageSender } from "./channels.ts";
import type { Logger } from "./logger.ts";
import type { EventSender } from "./outbox.ts";

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

/**
 * What an activity knows and can do. What it sends goes out when it is recorded that it has succeeded, in the same
 * transaction; of an attempt that fails nothing goes out.
 */
export interface ActivityContext extends MessageSender, EventSender {
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
