/**
 * One life's access to the database that all lives share.
 *
 * When the life dies, all of its transactions that are open are rolled back at that moment, as SQLite does it when a process
 * dies; and whatever it asks for later has no effect and is never answered.
 */
import type { Seams } from "./virtual-clock.ts";

export type Database = Awaited<ReturnType<Seams["open"]>>;
type Connection = Database["reader"];
type Transaction = Awaited<ReturnType<Database["begin"]>>;
type SharedTransaction = Awaited<ReturnType<Database["share"]>>;
type Statement = Parameters<Connection["run"]>;

/** Never settles. */
function never<T>(): Promise<T> {
  return new Promise(() => {});
}

export class Access implements Database {
  readonly dialect: Database["dialect"];
  readonly naming: Database["naming"];
  readonly commitsAtOnce: number;
  readonly reader: Connection;
  readonly viewer: Connection;
  readonly writer: Connection;
  readonly #database: Database;
  readonly #open = new Set<Transaction>();
  #isOver = false;

  constructor(database: Database) {
    this.#database = database;
    this.dialect = database.dialect;
    this.naming = database.naming;
    this.commitsAtOnce = database.commitsAtOnce;
    this.reader = this.#guarded(database.reader);
    this.viewer = this.#guarded(database.viewer);
    // In transactions, which do not begin any more when the life ends while they wait for others.
    this.writer = {
      all: (...statement: Statement) => this.exclusively((connection) => connection.all(...statement)),
      run: (...statement: Statement) => this.exclusively((connection) => connection.run(...statement)),
      script: (text) => this.exclusively((connection) => connection.script(text)),
    };
  }

  /** The life has died. */
  end(): void {
    this.#isOver = true;
    // None of them can fail: of what SQLite has rolled back by itself nothing is left.
    for (const transaction of this.#open) void transaction.rollback();
  }

  async begin(): Promise<Transaction> {
    return this.#guardedTransaction(await this.#begun(() => this.#database.begin()));
  }

  async share(): Promise<SharedTransaction> {
    return this.#guardedShared(await this.#begun(() => this.#database.share()));
  }

  shareNow(): SharedTransaction | undefined {
    const transaction = this.#isOver ? undefined : this.#database.shareNow();
    if (!transaction) return undefined;
    this.#open.add(transaction);
    return this.#guardedShared(transaction);
  }

  async exclusively<T>(body: (connection: Connection) => Promise<T>): Promise<T> {
    const transaction = await this.begin();
    try {
      const result = await body(transaction);
      await transaction.commit();
      return result;
    } catch (error) {
      await transaction.rollback();
      throw error;
    }
  }

  idle(): Promise<void> | undefined {
    return this.#database.idle?.();
  }

  /** There is no other process. */
  changedByOthers(): boolean {
    return false;
  }

  isTransient(error: unknown): boolean {
    return this.#database.isTransient(error);
  }

  /** The database outlives the life. */
  async close(): Promise<void> {}

  #alive<T>(action: () => Promise<T>): Promise<T> {
    return this.#isOver ? never() : action();
  }

  async #begun<Begun extends Transaction>(begin: () => Promise<Begun>): Promise<Begun> {
    const transaction = await this.#alive(begin);
    this.#open.add(transaction);
    if (!this.#isOver) return transaction;
    await transaction.rollback();
    return never();
  }

  #guarded(connection: Connection): Connection {
    return {
      all: (...statement: Statement) => this.#alive(() => connection.all(...statement)),
      run: (...statement: Statement) => this.#alive(() => connection.run(...statement)),
      script: (text) => this.#alive(() => connection.script(text)),
    };
  }

  #guardedTransaction(transaction: Transaction): Transaction {
    const ending = (end: () => Promise<void>): Promise<void> =>
      this.#alive(() => {
        this.#open.delete(transaction);
        return end();
      });
    return {
      ...this.#guarded(transaction),
      commit: () => ending(() => transaction.commit()),
      rollback: () => ending(() => transaction.rollback()),
    };
  }

  #guardedShared(transaction: SharedTransaction): SharedTransaction {
    return {
      ...this.#guardedTransaction(transaction),
      begun: transaction.begun,
      get client() {
        return transaction.client;
      },
      query: (text, values) => this.#alive(() => transaction.query(text, values)),
      isOpen: () => this.#alive(() => transaction.isOpen()),
    };
  }
}
