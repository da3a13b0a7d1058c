/**
 * The group committer: the only writer of instance state.
 *
 * 1. Changes of all instances gather while a commit is under way; then one transaction writes them all.
 * 2. A change is asked for when its batch is put together, so that all that its instance has come to until then is in
 *    it. Who submits has one submission at a time outside a batch, so changes of one instance keep their order.
 * 3. A submission resolves with a result only when its change is durable, or is known never to be. A database that is
 *    away is tried again until it is back: nothing is lost, and nothing that waits for the barrier goes on meanwhile.
 */

import type { Change, ChangeResult } from "../core/commit.ts";
import { AppStateError, messageOf } from "../core/errors.ts";
import { outgoingOf } from "../core/outgoing.ts";
import type { Store } from "../store/store.ts";
import type { Logger } from "../workflow/logger.ts";
import { setImmediate, setTimeout } from "./machine-time.ts";
import { settlesWithin } from "./patience.ts";
import { currentActivity } from "./scope.ts";
import type { Seams } from "./seams.ts";

/** Rows after which a batch is full; a larger one would stop the event loop for longer than others should wait. */
const MAX_ROWS = 1_000;

/** The same in characters of values, which servers limit too (`max_allowed_packet`). */
const MAX_CHARACTERS = 4_000_000;

/** Waits between tries while the database is away, in milliseconds. */
const FIRST_WAIT = 20;
const LONGEST_WAIT = 1_000;

/**
 * Makes the change durable, for a caller who must know. Inside an activity whose session has begun it becomes part of that
 * transaction, and is durable with it.
 *
 * @param onDone it is durable
 */
export async function write(
  journal: Journal,
  change: Change,
  what: string,
  onDone: (result: ChangeResult) => void,
): Promise<ChangeResult> {
  const session = currentActivity()?.openSession;
  if (session) {
    const applied = await session.apply(change);
    session.afterCommit(() => onDone(applied));
    return applied;
  }
  const result = await journal.submit(() => change);
  if (result) onDone(result);
  if (result) return result;
  throw new AppStateError(
    `The app was shut down before the database had confirmed ${what}: it may be there, or not. Doing it again does no ` +
      "harm when it has the same id.",
  );
}

/** Gives the change when it is to be written; `undefined` when there is nothing to write any more. */
export type ChangeSource = () => Change | undefined;

interface Submission {
  readonly source: ChangeSource;
  readonly resolve: (result: ChangeResult | undefined) => void;
}

/** A submission in a batch. */
interface Entry {
  readonly change: Change;
  readonly resolve: Submission["resolve"];
}

export class Journal {
  readonly #store: Store;
  readonly #log: Logger;
  readonly #around: Seams["commit"];
  #queue: Submission[] = [];
  #flushing: Promise<void> | undefined;
  #failures = 0;
  #closed = false;
  /** Called when the database takes commits again. */
  onHealthy: () => void = () => {};
  /** Called when events have been committed that are to be sent to a broker. */
  onOutgoing: () => void = () => {};

  constructor(store: Store, log: Logger, around: Seams["commit"]) {
    this.#store = store;
    this.#log = log;
    this.#around = around;
  }

  /** Whether the last commit went through. */
  get isHealthy(): boolean {
    return this.#failures === 0;
  }

  /** Whether anything is being written, or is to be. */
  get isBusy(): boolean {
    return this.#flushing !== undefined;
  }

  /** Makes the change durable together with all others that are submitted meanwhile. */
  submit(source: ChangeSource): Promise<ChangeResult | undefined> {
    return new Promise((resolve) => {
      if (this.#closed) {
        resolve(undefined);
        return;
      }
      this.#queue.push({ source, resolve });
      this.#flushing ??= this.#flush();
    });
  }

  /** Resolves when nothing is left to write. */
  async drain(): Promise<void> {
    while (this.#flushing) await this.#flushing;
  }

  /**
   * Writes what is left, then takes nothing more. What the database does not take in time is given up, and resolves with
   * `undefined`: nobody knows whether it is durable, and nobody was told that it was.
   *
   * @param patience milliseconds
   */
  async close(patience: number): Promise<void> {
    await settlesWithin(patience, this.drain());
    this.abandon();
  }

  /** Takes nothing more, and leaves what is not written. */
  abandon(): void {
    this.#closed = true;
    for (const { resolve } of this.#queue.splice(0)) resolve(undefined);
  }

  async #flush(): Promise<void> {
    // A macrotask later: whatever else happens in this one joins the batch.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#queue.length > 0) {
      const batch = this.#take();
      const results = batch.length > 0 ? await this.#commit(batch) : [];
      batch.forEach(({ resolve }, index) => {
        resolve(results?.[index]);
      });
      if (batch.some(({ change }, index) => results?.[index]?.type === "applied" && outgoingOf(change).length > 0)) {
        this.onOutgoing();
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#flushing = undefined;
  }

  #take(): Entry[] {
    const batch: Entry[] = [];
    let taken = 0;
    let rows = 0;
    let characters = 0;
    for (const { source, resolve } of this.#queue) {
      if (rows >= MAX_ROWS || characters >= MAX_CHARACTERS) break;
      taken++;
      const change = source();
      if (change) batch.push({ change, resolve });
      else resolve(undefined);
      rows += change?.type === "advance" ? change.events.length + 1 : 1;
      characters += change ? sizeOf(change) : 0;
    }
    this.#queue.splice(0, taken);
    return batch;
  }

  async #commit(batch: readonly Entry[]): Promise<ChangeResult[] | undefined> {
    const changes = batch.map(({ change }) => change);
    for (let inDoubt = false; !this.#closed; inDoubt = true) {
      try {
        const results = await this.#around(changes, () => this.#store.commit(changes, inDoubt));
        this.#recover();
        return results;
      } catch (error) {
        if (!this.#closed) await this.#endure(error);
      }
    }
    return undefined;
  }

  #recover(): void {
    if (this.#failures === 0) return;
    this.#failures = 0;
    this.#log.info("The database takes commits again.");
    this.onHealthy();
  }

  async #endure(error: unknown): Promise<void> {
    if (this.#failures++ === 0) {
      this.#log.warn("A commit failed and is tried until it succeeds. Nothing is lost.", { error: messageOf(error) });
    }
    const wait = Math.min(FIRST_WAIT * 2 ** Math.min(this.#failures, 10), LONGEST_WAIT);
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

/** Characters of the values that users' code may have made large. */
function sizeOf(change: Change): number {
  if (change.type === "create") return change.instance.input.length;
  if (change.type === "deliver" || change.type === "publish") return change.message.data.length;
  if (change.type !== "advance") return 0;
  const { events, patch } = change;
  let size = patch?.event === "complete" ? patch.output.length : 0;
  for (const event of events) if (event.kind === "activity_completed") size += event.result.length;
  for (const { body } of outgoingOf(change)) size += body?.length ?? 0;
  return size;
}
