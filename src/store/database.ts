/** What a driver supplies. It knows connections and transactions, and nothing of instances. */
import type { Dialect } from "./dialect.ts";
import type { Naming } from "./naming.ts";
import type { Bindable, SqlValue } from "./sql.ts";
import type { Compiled } from "./statement.ts";

export type Row = Readonly<Record<string, unknown>>;

/** A statement as text, with its values. */
export interface Text {
  readonly text: string;
  readonly values: readonly SqlValue[];
}

/** How many rows a statement has changed, or those that it has found. */
export type Reply = number | readonly Row[];

/** Runs statements in one round trip, until one fails. */
export type Together = (statements: readonly Text[]) => Promise<readonly Reply[]>;

/** Where statements run. Whole numbers come back as numbers, texts as strings. */
export interface Connection {
  /** Runs a statement that returns rows. */
  all(statement: Compiled, values: readonly Bindable[]): Promise<Row[]>;
  /** Runs a statement and tells how many rows it changed, or found as they were to be. */
  run(statement: Compiled, values: readonly Bindable[]): Promise<number>;
  /** The same at once, where the database is part of this process: a batch of many statements waits for none of them. */
  runNow?(statement: Compiled, values: readonly Bindable[]): number;
  /** Where several go in one round trip. */
  readonly together?: Together | undefined;
  /** Runs a script of several statements. */
  script(text: string): Promise<void>;
}

/** A connection to a database that is part of this process. */
export type Immediate = Connection & Required<Pick<Connection, "runNow">>;

export function isImmediate(connection: Connection): connection is Immediate {
  return connection.runNow !== undefined;
}

/** An open write transaction; nobody else writes through it. It ends with `commit` or `rollback`, exactly once. */
export interface Transaction extends Connection {
  commit(): Promise<void>;
  rollback(): Promise<void>;
}

/** Runs the body in the open transaction: committed when it resolves, rolled back when it rejects. */
export async function completing<T, Of extends Transaction>(
  transaction: Of,
  body: (transaction: Of) => Promise<T>,
): Promise<T> {
  try {
    const result = await body(transaction);
    await transaction.commit();
    return result;
  } catch (error) {
    await transaction.rollback();
    throw error;
  }
}

/** A write transaction that users' code shares. */
export interface SharedTransaction extends Transaction {
  /** Resolves once it has begun; its statements wait for that by themselves. */
  readonly begun: Promise<void>;
  /** The driver's own object, inside the transaction. */
  readonly client: unknown;
  /** Runs a user's statement. */
  query(text: string, values: readonly SqlValue[]): Promise<Row[]>;
  /** Whether nobody has ended it; asked before it is committed. */
  isOpen(): Promise<boolean>;
}

/**
 * A connection that stays open as long as its worker lives. The server drops its lock with it, so others see that the
 * worker is gone; and messages come in through it.
 */
export interface LiveConnection {
  /** Who serves the connection, by the server's own account: another answer later means that a pooler is between. */
  backend(): Promise<string>;
  /**
   * Whether it is served by one backend in one transaction and by another in the next, as behind a pooler of transactions:
   * then what is taken or listened to on it stays with a backend that others use. Takes a second connection for a moment.
   */
  isShared(): Promise<boolean>;
  /** Takes a lock of that name, for as long as the connection lasts; `false` when somebody holds it. */
  lock(name: string): Promise<boolean>;
  /** Hears what is sent to the channel, from now on. */
  listen?(channel: string, onMessage: (payload: string) => void): Promise<void>;
  /** Resolves when the connection is no more. */
  readonly closed: Promise<void>;
  close(): Promise<void>;
}

export interface Database {
  readonly dialect: Dialect;
  readonly naming: Naming;
  /**
   * How many commits are worth having under way at once: one more where most of a commit's time is the server's, and
   * this process would wait for it.
   */
  readonly commitsAtOnce: number;
  /** For single reads of the engine outside a transaction. */
  readonly reader: Connection;
  /** For users' reads, which may take long: the engine's do not wait for them. */
  readonly viewer: Connection;
  /** For single statements that write, each a transaction of its own. */
  readonly writer: Connection;
  /** Begins a write transaction of the engine, waiting for its turn. */
  begin(): Promise<Transaction>;
  /** Begins one for users' code. */
  share(): Promise<SharedTransaction>;
  /** The same at once, unless another is before. */
  shareNow(): SharedTransaction | undefined;
  /** Runs statements as one transaction in one round trip, where a connection can. */
  readonly transact?: Together;
  /** Runs the body while nobody else, in any process, runs one; in a transaction where the database has such for schemas. */
  exclusively<T>(body: (connection: Connection) => Promise<T>): Promise<T>;
  /**
   * Where write transactions of one process exclude each other: `undefined` when none is open, else resolves when that
   * may have changed.
   */
  idle?(): Promise<void> | undefined;
  /** Whether another process wrote since the last call; only where this is cheaper than looking. */
  changedByOthers?(): boolean;
  /** Where a worker can be known by its connection. */
  live?(): Promise<LiveConnection>;
  /** Sends to all who listen; where there is such a thing. */
  notify?(channel: string, payload: string): Promise<void>;
  /** Whether the error is the database's state and not the statement's fault, so that trying again may help. */
  isTransient(error: unknown): boolean;
  /**
   * Whether the database has undone the transaction because it and another waited for each other: nothing of it took
   * place. Absent where transactions that write exclude each other.
   */
  isDeadlock?(error: unknown): boolean;
  close(): Promise<void>;
  /** Breaks off what is under way, where that can take for ever; instead of `close`, when that takes too long. */
  destroy?(): void;
}
