/**
 * The worker's one lease, and the watch over other workers' (invariant 3).
 *
 * The lease is renewed by the database's clock. A worker that cannot renew it in time must assume that its instances
 * were given to others: it starts nothing any more, and drops what it runs when it learns that it was so.
 */
import { DuplicateNameError, messageOf } from "../core/errors.ts";
import type { Store, WorkerRecord } from "../store/store.ts";
import type { Logger } from "../workflow/logger.ts";
import { isGone, type ProcessIdentity } from "./process-identity.ts";

export interface LeaseOptions {
  readonly store: Store;
  readonly log: Logger;
  readonly worker: WorkerRecord;
  readonly identity: ProcessIdentity;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** How long the lease lasts, in milliseconds. */
  readonly duration: number;
  /** Between two renewals, in milliseconds. */
  readonly renewEvery: number;
  /** Between two looks at other workers, in milliseconds. */
  readonly watchEvery: number;
  /** It was renewed after it had been in doubt. */
  readonly onHeld: () => void;
  /** Other workers have taken over: drop everything. The lease is taken anew. */
  readonly onLost: () => void;
  /** Instances of a dead worker have become due. */
  readonly onFreed: () => void;
}

export class Lease {
  readonly #options: LeaseOptions;
  #timers: NodeJS.Timeout[] = [];
  #busy = new Set<Promise<void>>();
  /** By the monotonic clock, which jumps of the wall clock do not touch. */
  #heldUntil = 0;

  constructor(options: LeaseOptions) {
    this.#options = options;
  }

  /** Whether nobody can have taken over yet. */
  get isHeld(): boolean {
    return performance.now() < this.#heldUntil;
  }

  /** @throws DuplicateNameError when a living worker has the same id and keeps it for longer than a lease */
  async start(): Promise<void> {
    const { renewEvery, watchEvery } = this.#options;
    const deadline = performance.now() + 2 * this.#options.duration;
    while (!(await this.#take())) {
      // Its process may have died on another host; then its lease runs out.
      if (performance.now() > deadline) throw this.#taken();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    this.#timers = [
      setInterval(() => this.#guard(() => this.#renew()), renewEvery),
      setInterval(() => this.#guard(() => this.sweep()), watchEvery),
    ];
  }

  /** Stops renewing, and waits for what is under way. */
  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.all(this.#busy);
  }

  /** Removes workers that are dead and frees what they owned. */
  async sweep(): Promise<void> {
    const { store, worker, identity, now, log } = this.#options;
    const dead = (await store.workers()).filter(
      (other) => other.incarnation !== worker.incarnation && (other.expired || isGone(other, identity)),
    );
    if (dead.length === 0 && !(await store.hasOrphans())) return;
    if (dead.length > 0) log.info("Taking over from dead workers.", { workers: dead.map(({ id }) => id) });
    await store.removeWorkers(dead, now());
    this.#options.onFreed();
  }

  async #take(): Promise<boolean> {
    const { store, worker, duration, now, identity } = this.#options;
    await this.sweep();
    const begun = performance.now();
    if (await store.addWorker(worker, duration, now())) {
      this.#heldUntil = begun + duration;
      return true;
    }
    const holder = (await store.workers()).find(({ id }) => id === worker.id);
    if (holder?.host === identity.host && !isGone(holder, identity) && !holder.expired) throw this.#taken();
    return false;
  }

  async #renew(): Promise<void> {
    const { store, worker, duration } = this.#options;
    const begun = performance.now();
    const wasHeld = this.isHeld;
    if (await store.renewLease(worker, duration)) {
      this.#heldUntil = begun + duration;
      if (!wasHeld) this.#options.onHeld();
      return;
    }
    this.#heldUntil = 0;
    this.#options.log.warn("This worker was taken for dead. It drops what it runs and starts afresh.");
    this.#options.onLost();
    if (await this.#take()) this.#options.onHeld();
  }

  #guard(task: () => Promise<void>): void {
    const running = task()
      .catch((error: unknown) => {
        this.#options.log.warn("The database did not answer a worker's housekeeping.", { error: messageOf(error) });
      })
      .finally(() => this.#busy.delete(running));
    this.#busy.add(running);
  }

  #taken(): DuplicateNameError {
    return new DuplicateNameError(
      `Another living worker has the id ${this.#options.worker.id}. Give each worker its own \`workerId\`, or none.`,
    );
  }
}
