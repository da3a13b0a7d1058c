/** Finds work: claims instances that are due, as many as there is room for, and sleeps until the next one is. */
import { messageOf } from "../core/errors.ts";
import type { Claim, Store } from "../store/store.ts";
import type { Logger } from "../workflow/logger.ts";
import type { Clock } from "./clock.ts";

/** Instances claimed in one transaction; more would stop the event loop for longer than others should wait. */
const BATCH = 100;

/** Milliseconds until the next try when the database did not answer. */
const RETRY_AFTER = 500;

export interface ClaimerOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly workerId: string;
  readonly workflows: () => readonly string[];
  /** How many more instances the worker can run. */
  readonly room: () => number;
  /** Runs what was claimed; rejects only when it could not even be loaded. */
  readonly onClaimed: (claims: readonly Claim[]) => Promise<void>;
}

export class Claimer {
  readonly #options: ClaimerOptions;
  #running: Promise<void> | undefined;
  #again = false;
  /** Whether due instances may have been left for want of room. */
  #hungry = false;
  #stopped = false;
  /** Epoch milliseconds of the timer that is set. */
  #wakeAt = Number.POSITIVE_INFINITY;
  #callOff: (() => void) | undefined;

  constructor(options: ClaimerOptions) {
    this.#options = options;
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

  /** An instance will be due then. */
  wakeAt(time: number): void {
    if (this.#stopped || time >= this.#wakeAt) return;
    this.#callOff?.();
    this.#wakeAt = time;
    this.#callOff = this.#options.clock.at(time, () => {
      this.#wakeAt = Number.POSITIVE_INFINITY;
      this.poke();
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#callOff?.();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#options;
    try {
      while (this.#again && !this.#stopped) {
        // A macrotask later: instances that leave together make room together, and between two batches others get a turn.
        await new Promise((resolve) => setImmediate(resolve));
        this.#again = false;
        await this.#claim();
      }
    } catch (error) {
      log.warn("Due instances could not be claimed; it is tried again.", { error: messageOf(error) });
      this.wakeAt(clock.now() + RETRY_AFTER);
    } finally {
      this.#running = undefined;
    }
  }

  async #claim(): Promise<void> {
    const { store, clock, room, workerId, workflows, onClaimed } = this.#options;
    const limit = Math.min(room(), BATCH);
    this.#hungry = limit <= 0;
    if (this.#hungry) return;
    const due = await store.nextDue(workflows());
    if (due === undefined) return;
    const now = clock.now();
    if (due > now) {
      this.wakeAt(due);
      return;
    }
    const claims = await store.claim(workerId, workflows(), limit, now);
    this.#again = true;
    await onClaimed(claims);
  }
}
