/** What a driver supplies. It knows connections and transactions, and nothing of instances. */
import type { Dialect } from "./dialect.ts";
import type { SqlValue } from "./sql.ts";
import type { Compiled } from "./statement.ts";

export type Row = Readonly<Record<string, unknown>>;

/** Where statements run. */
export interface Connection {
  /** Runs a statement that returns rows. */
  all(statement: Compiled, values: readonly SqlValue[]): Promise<Row[]>;
  /** Runs a statement and tells how many rows it changed. */
  run(statement: Compiled, values: readonly SqlValue[]): Promise<number>;
  /** Runs a script of several statements. */
  script(text: string): Promise<void>;
}

/** An open write transaction; nobody else writes through it. It ends with `commit` or `rollback`, exactly once. */
export interface Transaction extends Connection {
  /** `false` when a statement of the user has ended it. */
  readonly isOpen: boolean;
  /** The driver's own object, inside the transaction. */
  readonly client: unknown;
  /** Runs a user's statement. */
  query(text: string, values: readonly SqlValue[]): Promise<Row[]>;
  commit(): Promise<void>;
  rollback(): Promise<void>;
}

export interface Database {
  readonly dialect: Dialect;
  /** For single reads outside a transaction. */
  readonly reader: Connection;
  /** Begins a write transaction, waiting for its turn. */
  begin(): Promise<Transaction>;
  /** The same at once, where the driver can and nobody is before; else `undefined`. */
  beginNow?(): Transaction | undefined;
  /**
   * Where write transactions of one process exclude each other: `undefined` when none is open, else resolves when that
   * may have changed.
   */
  idle?(): Promise<void> | undefined;
  /** Whether another process wrote since the last call; only where this is cheaper than looking. */
  changedByOthers?(): boolean;
  /** Whether the error is the database's state and not the statement's fault, so that trying again may help. */
  isTransient(error: unknown): boolean;
  close(): Promise<void>;
}
