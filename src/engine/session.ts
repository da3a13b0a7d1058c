/**
 * `ctx.session`: one attempt's door into a transaction of its own. Closed when the attempt ends, whatever a leaked
 * reference does afterwards.
 */
import type { Change, ChangeResult } from "../core/commit.ts";
import { messageOf, SessionError } from "../core/errors.ts";
import type { Store, StoreTransaction } from "../store/store.ts";
import type { Session, SqlValue } from "../workflow/activity-context.ts";
import type { Logger } from "../workflow/logger.ts";

export class ActivitySession implements Session {
  readonly #store: Store;
  readonly #log: Logger;
  #transaction: StoreTransaction | undefined;
  #beginning: Promise<StoreTransaction> | undefined;
  #closed: string | undefined;
  #savepoints = 0;
  readonly #callbacks: (() => void | Promise<void>)[] = [];

  /** @param refusal why it cannot be used at all, if so */
  constructor(store: Store, log: Logger, refusal?: string) {
    this.#store = store;
    this.#log = log;
    this.#closed = refusal;
  }

  /** Whether the transaction has begun. */
  get hasBegun(): boolean {
    return this.#transaction !== undefined || this.#beginning !== undefined;
  }

  async begin(): Promise<void> {
    const transaction = await this.#begun();
    // One begun at once may still be waiting for its connection, as its statements do.
    await transaction.begun;
  }

  async query<Row = Record<string, unknown>>(text: string, params: readonly SqlValue[] = []): Promise<Row[]> {
    return (await (await this.#begun()).query(text, params)) as Row[];
  }

  get client(): unknown {
    this.#check();
    const transaction = this.#atOnce();
    if (transaction) return transaction.client;
    throw new SessionError(
      "The transaction of another activity is open, so `ctx.session.client` cannot begin one at once. " +
        "Call `await ctx.session.begin()` first.",
    );
  }

  async savepoint<T>(body: () => T | Promise<T>): Promise<T> {
    const transaction = await this.#begun();
    const name = `romancy_user_${++this.#savepoints}`;
    await transaction.query(`savepoint ${name}`, []);
    try {
      const result = await body();
      await transaction.query(`release savepoint ${name}`, []);
      return result;
    } catch (error) {
      await this.#undo(transaction, name);
      throw error;
    }
  }

  afterCommit(callback: () => void | Promise<void>): void {
    this.#check();
    this.#callbacks.push(callback);
  }

  /** Applies a change of the engine in the transaction. */
  async apply(change: Change): Promise<ChangeResult> {
    return (await this.#begun()).apply(change);
  }

  /** Commits the user's rows together with the change, or rolls both back. */
  async commitWith(change: Change): Promise<ChangeResult> {
    const transaction = await this.#begun();
    this.#closed = "The activity has ended";
    try {
      return await transaction.commitWith(change);
    } catch (error) {
      await transaction.rollback();
      throw error;
    }
  }

  /** Ends the session without its writes; harmless when it has ended already. */
  async rollback(reason: string): Promise<void> {
    if (this.#closed) return;
    this.#closed = reason;
    try {
      const transaction = this.#transaction ?? (await this.#beginning);
      await transaction?.rollback();
    } catch (error) {
      this.#log.warn("A session could not be rolled back cleanly.", { error: messageOf(error) });
    }
  }

  /** Runs what waits for the commit; what it throws is logged. */
  async runAfterCommit(): Promise<void> {
    for (const callback of this.#callbacks) {
      try {
        await callback();
      } catch (error) {
        this.#log.error("An afterCommit callback threw. The commit stands.", { error: messageOf(error) });
      }
    }
  }

  async #undo(transaction: StoreTransaction, savepoint: string): Promise<void> {
    try {
      await transaction.query(`rollback to savepoint ${savepoint}`, []);
      await transaction.query(`release savepoint ${savepoint}`, []);
    } catch (error) {
      // The whole transaction is over, by a deadlock perhaps: then it is not committed either. Why is in the first error.
      this.#log.debug("A savepoint could not be undone.", { error: messageOf(error) });
    }
  }

  async #begun(): Promise<StoreTransaction> {
    this.#check();
    const begun = this.#atOnce();
    if (begun) return begun;
    this.#beginning ??= this.#store.begin();
    const transaction = await this.#beginning;
    this.#transaction = transaction;
    return transaction;
  }

  /** The only transaction of the session, unless it is being waited for. */
  #atOnce(): StoreTransaction | undefined {
    if (!this.#beginning) this.#transaction ??= this.#store.beginNow();
    return this.#transaction;
  }

  #check(): void {
    if (this.#closed) throw new SessionError(`${this.#closed}: its \`ctx.session\` cannot be used.`);
  }
}
