/**
 * The group committer: the only writer of instance state.
 *
 * 1. Changes of all instances gather while a commit is under way; then one transaction writes them all. Where it
 *    pays (`Store.commitsAtOnce`) a second one goes out beside the first: while the server works on one, this process
 *    goes on with what came of the other.
 * 2. A change is asked for when its batch is put together, so that all that its instance has come to until then is in
 *    it. Changes of one key, which is an instance's id, keep their order, and are never on their way at the same time,
 *    not even in one batch, which may judge by the instance; but creations, and what comes from outside, share one.
 * 3. A submission resolves with a result only when its change is durable, or is known never to be. A database that is
 *    away is tried again until it is back: nothing is lost, and nothing that waits for the barrier goes on meanwhile.
 */

import type { Change, ChangeResult } from "../core/commit.ts";
import { AppStateError, messageOf } from "../core/errors.ts";
import { outgoingOf } from "../core/outgoing.ts";
import type { Store } from "../store/store.ts";
import type { Logger } from "../workflow/logger.ts";
import { performance, setImmediate, setTimeout } from "./machine-time.ts";
import { settlesWithin } from "./patience.ts";
import { currentActivity } from "./scope.ts";
import { NO_SEAMS, type Seams } from "./seams.ts";
import type { HookRunner } from "./watching/hooks.ts";

/** Rows after which a batch is full; a larger one would stop the event loop for longer than others should wait. */
const MAX_ROWS = 1_000;

/** The same in characters of values, which servers limit too (`max_allowed_packet`). */
const MAX_CHARACTERS = 4_000_000;

/**
 * Changes that are worth a commit beside the one that is under way, and that a batch may have in any case. A commit costs
 * a server as much as some thirty changes: with half as many in each, two at once gain nothing.
 */
const WORTH_A_COMMIT = 128;

/** The key of what comes from outside of instances: messages of one sender keep their order. */
const OUTSIDE = "";

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
  const key = change.type === "create" ? change.instance.id : OUTSIDE;
  const result = await journal.submit(() => change, key, true);
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
  readonly key: string;
  /** Whether others of its key may be in the same batch. */
  readonly isShared: boolean;
  readonly source: ChangeSource;
  readonly resolve: (result: ChangeResult | undefined) => void;
}

/** A submission in a batch. */
interface Entry {
  readonly key: string;
  readonly change: Change;
  readonly resolve: Submission["resolve"];
}

export class Journal {
  readonly #store: Store;
  readonly #log: Logger;
  readonly #around: Seams["commit"];
  readonly #hooks: HookRunner | undefined;
  /** Commits that may be under way at once. */
  readonly #lanes: number;
  #queue: Submission[] = [];
  #isScheduled = false;
  readonly #flights = new Set<Promise<void>>();
  /** Keys of what is under way, and how many changes that is. */
  readonly #keys = new Set<string>();
  #flying = 0;
  #isHealthy = true;
  #closed = false;
  /** Called when the database takes commits again. */
  onHealthy: () => void = () => {};
  /** Called when events have been committed that are to be sent to a broker. */
  onOutgoing: () => void = () => {};

  constructor(store: Store, log: Logger, around: Seams["commit"] = NO_SEAMS.commit, hooks?: HookRunner) {
    this.#store = store;
    this.#log = log;
    this.#around = around;
    this.#hooks = hooks;
    this.#lanes = store.commitsAtOnce;
  }

  /** Whether the last commit went through. */
  get isHealthy(): boolean {
    return this.#isHealthy;
  }

  /** Whether anything is being written, or is to be. */
  get isBusy(): boolean {
    return this.#isScheduled || this.#flights.size > 0;
  }

  /**
   * Makes the change durable together with all others that are submitted meanwhile.
   *
   * @param key of those that keep their order: an instance's id
   * @param isShared whether others of its key may be in the same batch
   */
  submit(
    source: ChangeSource,
    key: string = OUTSIDE,
    isShared: boolean = key === OUTSIDE,
  ): Promise<ChangeResult | undefined> {
    return new Promise((resolve) => {
      if (this.#closed) {
        resolve(undefined);
        return;
      }
      this.#queue.push({ key, isShared, source, resolve });
      this.#schedule();
    });
  }

  /** Resolves when nothing is left to write. */
  async drain(): Promise<void> {
    while (this.isBusy) {
      await (this.#flights.size > 0 ? Promise.race(this.#flights) : new Promise((resolve) => setImmediate(resolve)));
    }
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

  /** Has a batch taken in a later macrotask: whatever else happens in this one joins it. */
  #schedule(): void {
    if (this.#isScheduled || !this.#isWorthIt) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      const batch = this.#isWorthIt ? this.#take() : [];
      if (batch.length > 0) this.#launch(batch);
    });
  }

  get #isWorthIt(): boolean {
    const { size } = this.#flights;
    return size === 0 ? this.#queue.length > 0 : size < this.#lanes && this.#queue.length >= WORTH_A_COMMIT;
  }

  #launch(batch: readonly Entry[]): void {
    for (const { key } of batch) this.#keys.add(key);
    this.#flying += batch.length;
    const flight = this.#fly(batch).then(() => {
      for (const { key } of batch) this.#keys.delete(key);
      this.#flying -= batch.length;
      this.#flights.delete(flight);
      this.#schedule();
    });
    this.#flights.add(flight);
    this.#schedule();
  }

  async #fly(batch: readonly Entry[]): Promise<void> {
    const results = await this.#commit(batch);
    batch.forEach(({ resolve }, index) => {
      resolve(results?.[index]);
    });
    if (batch.some(({ change }, index) => results?.[index]?.type === "applied" && outgoingOf(change).length > 0)) {
      this.onOutgoing();
    }
  }

  /** What is first in the queue, and of no key that is under way. */
  #take(): Entry[] {
    const batch: Entry[] = [];
    const left: Submission[] = [];
    const taken = new Set<string>();
    const most = this.#mostChanges;
    let rows = 0;
    let characters = 0;
    for (const submission of this.#queue) {
      const { key, isShared, source, resolve } = submission;
      // What has one key cannot be dealt out to the lanes.
      const isEnough = key !== OUTSIDE && batch.length >= most;
      const isFull = isEnough || rows >= MAX_ROWS || characters >= MAX_CHARACTERS;
      if (isFull || this.#keys.has(key) || (!isShared && taken.has(key))) {
        left.push(submission);
        continue;
      }
      taken.add(key);
      const change = source();
      if (change) batch.push({ key, change, resolve });
      else resolve(undefined);
      rows += change?.type === "advance" ? change.events.length + (change.actions ?? []).length + 1 : 1;
      characters += change ? sizeOf(change) : 0;
    }
    this.#queue = left;
    return batch;
  }

  /** A fair share of all there is, so that the lanes take turns with the server. */
  get #mostChanges(): number {
    return Math.max(Math.ceil((this.#queue.length + this.#flying) / this.#lanes), WORTH_A_COMMIT);
  }

  async #commit(batch: readonly Entry[]): Promise<ChangeResult[] | undefined> {
    const changes = batch.map(({ change }) => change);
    for (let failures = 0; !this.#closed; ) {
      try {
        const begun = performance.now();
        const results = await this.#around(changes, () => this.#store.commit(changes, failures > 0));
        this.#recover();
        this.#tell(changes.length, performance.now() - begun);
        return results;
      } catch (error) {
        if (!this.#closed) await this.#endure(error, ++failures);
      }
    }
    return undefined;
  }

  #tell(changes: number, duration: number): void {
    this.#hooks?.figures?.committed(changes, duration);
    this.#hooks?.tell("onCommit", () => ({ changes, duration }));
  }

  #recover(): void {
    if (this.#isHealthy) return;
    this.#isHealthy = true;
    this.#log.info("The database takes commits again.");
    this.onHealthy();
  }

  /** @param failures of this batch; others may go through meanwhile */
  async #endure(error: unknown, failures: number): Promise<void> {
    if (this.#isHealthy) {
      this.#isHealthy = false;
      this.#log.warn("A commit failed and is tried until it succeeds. Nothing is lost.", { error: messageOf(error) });
    }
    const wait = Math.min(FIRST_WAIT * 2 ** Math.min(failures, 10), LONGEST_WAIT);
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

/** Characters of the values that users' code may have made large. */
function sizeOf(change: Change): number {
  if (change.type === "create") return change.instance.input.length;
  if (change.type === "deliver" || change.type === "publish") return change.message.data.length;
  if (change.type !== "advance") return 0;
  const { events, actions = [], patch } = change;
  let size = patch?.event === "complete" ? patch.output.length : 0;
  for (const event of events) if (event.kind === "activity_completed") size += event.result.length;
  for (const { request } of actions) if (request.type === "start_child") size += request.child.input.length;
  for (const { body } of outgoingOf(change)) size += body?.length ?? 0;
  return size;
}
