/**
 * The worker's one lease, and the watch over other workers (invariant 3).
 *
 * 1. The lease is renewed by the database's clock. A worker that cannot renew it in time must assume that its instances
 *    were given to others: it starts nothing any more, and drops what it runs.
 * 2. A dead worker is known by its process, on the same host; by the lock that its connection held, if it stays free for
 *    a while; at last by its lease. A wrong guess does no harm, for freed instances have a new epoch.
 */

import { encodeThrown } from "../core/codec.ts";
import { DuplicateNameError, messageOf, QuarantineError } from "../core/errors.ts";
import type { Deaths, Quarantined, Store, Survey, WorkerRecord, WorkerSighting } from "../store/store.ts";
import type { Logger } from "../workflow/logger.ts";
import { clearInterval, clearTimeout, performance, setInterval, setTimeout, wallClock } from "./machine-time.ts";
import { settlesWithin } from "./patience.ts";
import { isGone, type ProcessIdentity } from "./process-identity.ts";

/** Milliseconds for which a worker's lock must be free until it is taken for dead: a mere reconnect takes less. */
const GRACE = 900;

/**
 * Milliseconds that the own connection must have lasted until others without a lock are judged: after the database was
 * restarted, all have to reconnect, which they try at least every 1.5 s.
 */
const SETTLED_AFTER = 2_500;

/** Milliseconds that a renewal is given when the lease has run out: the process may have been stopped, and no more. */
const LAST_CHANCE = 1_000;

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
  readonly maxRecoveries: number;
  readonly workflows: () => readonly string[];
  /** For how long, in milliseconds, the own connection has lasted; see `Presence`. */
  readonly steadyFor: () => number;
  readonly onRenewed: () => void;
  /** It was renewed after it had been in doubt. */
  readonly onHeld: () => void;
  /** Others have taken over, or may have: drop everything. The lease is taken anew. */
  readonly onLost: (reason: string) => void;
  /** Instances of a dead worker have become due. */
  readonly onFreed: () => void;
  /**
   * Instances of dead workers were blocked.
   *
   * @param error encoded: why
   */
  readonly onBlocked: (instances: readonly Quarantined[], error: string) => void;
  /** It has looked around. */
  readonly onSurveyed: (survey: Survey) => void;
}

export class Lease {
  readonly #options: LeaseOptions;
  readonly #deaths: Deaths;
  #timers: NodeJS.Timeout[] = [];
  #lapse: NodeJS.Timeout | undefined;
  /** What is under way, by name. */
  readonly #busy = new Map<string, Promise<void>>();
  /** By the monotonic clock, which jumps of the wall clock do not touch. */
  #heldUntil = 0;
  /** The same by the wall clock, which runs on while the machine is suspended. */
  #heldUntilTime = 0;
  /** The worker has dropped what it ran, and the database may not know yet. */
  #isForfeited = false;
  #lockName: string | null = null;
  /** Since when, by the monotonic clock, the locks of other incarnations have been free. */
  #lockFreeSince = new Map<string, number>();

  constructor(options: LeaseOptions) {
    const { maxRecoveries } = options;
    this.#options = options;
    this.#deaths = { maxRecoveries, quarantine: encodeThrown(new QuarantineError(maxRecoveries)) };
  }

  /** Whether nobody can have taken over yet. */
  get isHeld(): boolean {
    return !this.#isForfeited && performance.now() < this.#heldUntil && wallClock() < this.#heldUntilTime;
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
      setInterval(() => this.#guard("renew", () => this.#renew()), renewEvery),
      setInterval(() => this.#guard("look around", () => this.#lookAround()), watchEvery),
    ];
  }

  /** Others can tell by this lock that the worker lives; `null` for none, when it is lost. */
  async setLock(name: string | null): Promise<void> {
    this.#lockName = name;
    // Before it has the lease there is no row to note it in.
    if (this.#heldUntil > 0) await this.#options.store.leases.setLock(this.#options.worker, name);
  }

  /** Stops renewing, and waits for what is under way. */
  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.all(this.#busy.values());
    clearTimeout(this.#lapse);
  }

  async #lookAround(): Promise<void> {
    const { worker, onSurveyed } = this.#options;
    const survey = await this.#survey();
    onSurveyed(survey);
    // Without itself among the workers it is in no position to take over from others.
    if (survey.workers.some(({ incarnation }) => incarnation === worker.incarnation)) await this.#sweep(survey);
    else await this.#renew();
  }

  /** Removes workers that are dead, and frees what they owned. */
  async #sweep(survey: Survey): Promise<void> {
    const { store, now, log } = this.#options;
    const dead = this.#deadAmong(survey);
    if (dead.length === 0 && !survey.hasOrphans) return;
    if (dead.length > 0) log.info("Taking over from dead workers.", { workers: dead.map(({ id }) => id) });
    const blocked = await store.leases.remove(dead, now(), this.#deaths);
    this.#options.onFreed();
    if (blocked.length === 0) return;
    log.error("Instances were blocked: worker after worker has died while it ran them.", {
      instances: blocked.map(({ id }) => id),
    });
    this.#options.onBlocked(blocked, this.#deaths.quarantine);
  }

  #survey(): Promise<Survey> {
    const { store, workflows } = this.#options;
    return store.leases.survey(workflows());
  }

  #deadAmong({ workers }: Survey): WorkerSighting[] {
    const { worker, identity, steadyFor } = this.#options;
    const now = performance.now();
    // Its own lock must be seen as held: else locks do not show what they should.
    const own = workers.find(({ incarnation }) => incarnation === worker.incarnation);
    const canJudge = steadyFor() > SETTLED_AFTER && own?.hasLostLock !== true;
    const freeSince = new Map<string, number>();
    for (const { incarnation, hasLostLock } of workers) {
      if (hasLostLock && canJudge) freeSince.set(incarnation, this.#lockFreeSince.get(incarnation) ?? now);
    }
    this.#lockFreeSince = freeSince;
    return workers.filter(
      (other) =>
        other.incarnation !== worker.incarnation &&
        (other.expired || isGone(other, identity) || now - (freeSince.get(other.incarnation) ?? now) >= GRACE),
    );
  }

  async #take(): Promise<boolean> {
    const { store, worker, duration, now, identity } = this.#options;
    await this.#sweep(await this.#survey());
    const begun = performance.now();
    if (await store.leases.add(worker, this.#lockName, duration, now())) {
      this.#hold(begun);
      return true;
    }
    const holder = (await this.#survey()).workers.find(({ id }) => id === worker.id);
    if (holder?.host === identity.host && !isGone(holder, identity) && !holder.expired) throw this.#taken();
    return false;
  }

  async #renew(): Promise<void> {
    const { store, worker, duration, now } = this.#options;
    const begun = performance.now();
    const wasHeld = this.isHeld;
    const isKnown = await store.leases.renew(worker, this.#lockName, duration);
    if (isKnown && !this.#isForfeited) {
      this.#hold(begun);
      this.#options.onRenewed();
      if (!wasHeld) this.#options.onHeld();
      return;
    }
    if (isKnown) await store.leases.leave(worker, now());
    else this.#forfeit("The worker was taken for dead");
    if (await this.#take()) this.#options.onHeld();
  }

  #hold(begun: number): void {
    const { duration } = this.#options;
    this.#isForfeited = false;
    this.#heldUntil = begun + duration;
    this.#heldUntilTime = wallClock() - (performance.now() - begun) + duration;
    clearTimeout(this.#lapse);
    this.#lapse = setTimeout(() => this.#guard("lapse", () => this.#onLapse()), this.#heldUntil - performance.now());
  }

  /** The lease has run out: either the process was stopped for so long, or the database does not answer. */
  async #onLapse(): Promise<void> {
    if (this.isHeld) return;
    await settlesWithin(LAST_CHANCE, this.#renew()).catch(() => {});
    if (!this.isHeld) this.#forfeit("The lease could not be renewed in time");
  }

  #forfeit(reason: string): void {
    if (this.#isForfeited) return;
    this.#isForfeited = true;
    this.#options.log.warn("This worker may have been taken for dead. It drops what it runs and starts afresh.", {
      reason,
    });
    this.#options.onLost(reason);
  }

  /** Runs the task, unless the last one of the name is under way still: they must not pile up while the database is slow. */
  #guard(name: string, task: () => Promise<void>): void {
    if (this.#busy.has(name)) return;
    const running = task()
      .catch((error: unknown) => {
        this.#options.log.warn("The database did not answer a worker's housekeeping.", { error: messageOf(error) });
      })
      .finally(() => this.#busy.delete(name));
    this.#busy.set(name, running);
  }

  #taken(): DuplicateNameError {
    return new DuplicateNameError(
      `Another living worker has the id ${this.#options.worker.id}. Give each worker its own \`workerId\`, or none.`,
    );
  }
}
