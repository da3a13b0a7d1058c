/** Finds work: claims instances that are due, as many as there is room for, and sleeps until the next one is. */

import { messageOf } from "../core/errors.ts";
import type { Claim, Store } from "../store/store.ts";
import type { Logger } from "../workflow/logger.ts";
import { Alarm } from "./alarm.ts";
import type { Clock } from "./clock.ts";
import { setImmediate } from "./machine-time.ts";

/** Instances claimed in one transaction; more would stop the event loop for longer than others should wait. */
const BATCH = 100;

/** Milliseconds until the next try when the database failed a claim, at first and at most; doubled each time. */
const RETRY_AFTER = 20;
const RETRY_AFTER_AT_MOST = 500;

/** Milliseconds until the next look when others were faster, or hold what is due at this moment; doubled each time. */
const MISSED_AGAIN_AFTER = 20;

export interface ClaimerOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly workerId: string;
  readonly workflows: () => readonly string[];
  /** How many more instances the worker can run. */
  readonly room: () => number;
  /** Whether it runs one already that may be what killed its last owners. */
  readonly hasSuspect: () => boolean;
  /** Runs what was claimed; rejects only when it could not even be loaded. */
  readonly onClaimed: (claims: readonly Claim[]) => Promise<void>;
  /** There is more than this worker can take. */
  readonly onFull: () => void;
  /** A claim was not answered: the worker may own instances that it knows nothing of. */
  readonly onDoubt: () => Promise<void>;
}

/**
 * Instances whose owners have died so often are run one at a time, so that when the next owner dies too, it is known of
 * which; the others are not held guilty with it.
 */
export const SUSPECT_FROM = 2;

const CLEAN = { leastRecoveries: 0, mostRecoveries: SUSPECT_FROM - 1 };
const SUSPECT = { leastRecoveries: SUSPECT_FROM, mostRecoveries: Number.MAX_SAFE_INTEGER };

export class Claimer {
  readonly #options: ClaimerOptions;
  #running: Promise<void> | undefined;
  #again = false;
  /** Whether something is known to be due. */
  #isExpected = false;
  /** How many tries in a row have failed. */
  #failed = 0;
  /** Whether due instances may have been left for want of room. */
  #hungry = false;
  #stopped = false;
  /** How often in a row what was due could not be had. */
  #missed = 0;
  /** Whether a claim was not answered. */
  #isUnanswered = false;
  #inDoubt = false;
  readonly #alarm: Alarm;

  constructor(options: ClaimerOptions) {
    this.#options = options;
    this.#alarm = new Alarm(options.clock, () => this.poke());
  }

  /** An instance has left. */
  roomMade(): void {
    if (this.#hungry) this.poke();
  }

  /** There may be work. */
  poke(): void {
    this.#again = true;
    if (!this.#stopped) this.#running ??= this.#run();
  }

  /** There is work: it is claimed without a look whether there is. */
  expect(): void {
    this.#isExpected = true;
    this.poke();
  }

  /** An instance will be due then. */
  wakeAt(time: number): void {
    if (!this.#stopped) this.#alarm.set(time);
  }

  /** The worker may own instances, by the database's account, that it does not run. */
  doubt(): void {
    this.#inDoubt = true;
    this.poke();
  }

  /** Has it checked now and then that what the worker owns is what it runs. */
  audit(): void {
    this.#inDoubt = true;
    if (!this.#stopped) this.#running ??= this.#run();
  }

  /** Whether it is looking for work. */
  get isBusy(): boolean {
    return this.#running !== undefined;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#alarm.callOff();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#options;
    try {
      while ((this.#again || this.#inDoubt) && !this.#stopped) {
        // A macrotask later: instances that leave together make room together, and between two batches others get a turn.
        await new Promise((resolve) => setImmediate(resolve));
        await this.#settleDoubt();
        const asked = this.#again;
        this.#again = false;
        if (asked) await this.#claim();
        this.#failed = 0;
      }
    } catch (error) {
      log.warn("Due instances could not be claimed; it is tried again.", { error: messageOf(error) });
      this.wakeAt(clock.now() + Math.min(RETRY_AFTER * 2 ** this.#failed++, RETRY_AFTER_AT_MOST));
    } finally {
      this.#running = undefined;
    }
  }

  async #claim(): Promise<void> {
    const { clock, room, hasSuspect, onClaimed, onFull } = this.#options;
    const limit = Math.min(room(), BATCH);
    this.#hungry = limit <= 0;
    if (this.#hungry) {
      onFull();
      return;
    }
    const mayTakeSuspect = !hasSuspect();
    const isExpected = this.#isExpected;
    this.#isExpected = false;
    if (!isExpected && !(await this.#isDue(mayTakeSuspect))) return;
    let claims = await this.#take(limit, CLEAN);
    if (isExpected && claims.length === 0) {
      // Somebody else was called, or was faster.
      this.#again = true;
      return;
    }
    if (claims.length === 0 && mayTakeSuspect) claims = await this.#take(1, SUSPECT);
    // If nothing was left, others have taken it; there may be more.
    this.#again ||= claims.length > 0;
    // Waits grow while what is due is held by others.
    this.#missed = claims.length === 0 ? this.#missed + 1 : 0;
    if (claims.length === 0) this.wakeAt(clock.now() + MISSED_AGAIN_AFTER * 2 ** Math.min(this.#missed - 1, 6));
    await onClaimed(claims);
  }

  /** Looks whether anything is due; if not, comes back when it will be. */
  async #isDue(mayTakeSuspect: boolean): Promise<boolean> {
    const { store, clock, workflows } = this.#options;
    const due = await store.nextDue(workflows(), mayTakeSuspect ? SUSPECT.mostRecoveries : CLEAN.mostRecoveries);
    if (due === undefined) return false;
    if (due > clock.now()) this.wakeAt(due);
    return due <= clock.now();
  }

  async #take(limit: number, recoveries: typeof CLEAN): Promise<Claim[]> {
    const { store, clock, workerId, workflows } = this.#options;
    this.#isUnanswered = true;
    const claims = await store.claim(workerId, { workflows: workflows(), now: clock.now(), limit, ...recoveries });
    this.#isUnanswered = false;
    return claims;
  }

  async #settleDoubt(): Promise<void> {
    if (!this.#inDoubt && !this.#isUnanswered) return;
    this.#inDoubt = false;
    this.#isUnanswered = true;
    await this.#options.onDoubt();
    this.#isUnanswered = false;
  }
}
