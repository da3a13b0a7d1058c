/** A transaction that an activity and the engine share. */
import type { Change, ChangeResult } from "../core/commit.ts";
import { SessionError } from "../core/errors.ts";
import { applyChange } from "./batch/each.ts";
import type { Committer } from "./commit.ts";
import type { Database, SharedTransaction } from "./database.ts";
import type { Runner } from "./runner.ts";
import type { SqlValue } from "./sql.ts";
import type { StoreTransaction } from "./store.ts";

/** Milliseconds between two looks whether a commit whose answer was lost took place. */
const LOOK_EVERY = 200;

export class StoreSession implements StoreTransaction {
  readonly #transaction: SharedTransaction;
  readonly #database: Database;
  readonly #runner: Runner;
  readonly #committer: Committer;

  constructor(transaction: SharedTransaction, database: Database, runner: Runner, committer: Committer) {
    this.#transaction = transaction;
    this.#database = database;
    this.#runner = runner;
    this.#committer = committer;
  }

  get begun(): Promise<void> {
    return this.#transaction.begun;
  }

  get client(): unknown {
    return this.#transaction.client;
  }

  query(text: string, values: readonly SqlValue[]): Promise<Readonly<Record<string, unknown>>[]> {
    return this.#transaction.query(text, values);
  }

  apply(change: Change): Promise<ChangeResult> {
    return applyChange(this.#transaction, this.#runner, change);
  }

  async commitWith(change: Change): Promise<ChangeResult> {
    if (!(await this.#transaction.isOpen())) {
      throw new SessionError(
        "The transaction of the activity's session is not open any more: the activity ended it, or a statement that " +
          "failed has made the database give it up. Leave commit and rollback to the activity's end, and put statements " +
          "that may fail into `session.savepoint`.",
      );
    }
    const result = await this.apply(change);
    if (result.type !== "applied") {
      await this.#transaction.rollback();
      return result;
    }
    try {
      await this.#transaction.commit();
      return result;
    } catch (error) {
      if (!this.#database.isTransient(error)) throw error;
      return this.#lookFor(change, error);
    }
  }

  rollback(): Promise<void> {
    return this.#transaction.rollback();
  }

  /** The commit was not answered. Until it is known whether it took place, the activity has neither ended nor failed. */
  async #lookFor(change: Change, lost: unknown): Promise<ChangeResult> {
    for (;;) {
      try {
        const found = await this.#committer.lookFor(this.#database.reader, change);
        if (found) return found;
        break;
      } catch (error) {
        if (!this.#database.isTransient(error)) throw error;
        await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
      }
    }
    throw lost;
  }
}
