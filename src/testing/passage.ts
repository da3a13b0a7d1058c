/**
 * The passing of virtual time.
 *
 * 1. Time stands still while anything goes on: a turn, a commit, a claim, the body of an activity that does not itself
 *    wait for virtual time, a timer that is due and was not called yet.
 * 2. It goes from one timer to the next, never past one; timers of one time are called in the order of asking. So what
 *    happens first in reality happens first here.
 * 3. Nothing is awaited between the look whether all is quiet and the setting of the clock: what a test does at the same
 *    time is seen.
 */
import { StuckError } from "./errors.ts";
import { until } from "./real-time.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** Milliseconds of virtual time between two times of what a worker does now and then. */
const TIDY_AFTER = 60_000;

/** Jumps of the clock after which a wait is taken for one that never ends. */
const MOST_JUMPS = 100_000;

export interface PassageHost {
  /** Whether anything goes on by itself. */
  isMoving(): boolean;
  /** Does what a worker does now and then. */
  tidy(): Promise<void>;
}

export class Passage {
  readonly #clock: VirtualClock;
  readonly #host: PassageHost;
  readonly #mostJumps: number;
  #isJumping = false;
  #tidiedAt: number;

  constructor(clock: VirtualClock, host: PassageHost, mostJumps: number = MOST_JUMPS) {
    this.#clock = clock;
    this.#host = host;
    this.#mostJumps = mostJumps;
    this.#tidiedAt = clock.now();
  }

  /** Resolves when nothing is left to do but wait. */
  async settle(): Promise<void> {
    let quiet = 0;
    // Twice in a row: between two steps of one thing there may be a moment at which nothing shows.
    await until(() => {
      quiet = this.#isQuiet ? quiet + 1 : 0;
      return quiet >= 2;
    });
  }

  /**
   * Lets time pass until `look` finds something; gives `undefined` when nothing is left, up to the limit, that time would
   * bring about.
   *
   * @param limit epoch milliseconds; default none
   * @throws StuckError when there is no end to it
   */
  async until<T>(look: () => Promise<T | undefined>, limit: number = Number.POSITIVE_INFINITY): Promise<T | undefined> {
    for (let jumps = 0; jumps < this.#mostJumps; jumps++) {
      await this.settle();
      const found = await look();
      if (found !== undefined) return found;
      if (!this.#isQuiet) continue;
      const { next } = this.#clock;
      if (next === undefined || next > limit) return undefined;
      await this.#jump(next);
    }
    throw new StuckError(
      `Time has passed to ${new Date(this.#clock.now()).toISOString()} in ${this.#mostJumps} steps, and what the test waits for ` +
        "has not come. A workflow that never ends keeps time going: use `advance` for as far as the test needs.",
    );
  }

  /** Lets time pass up to that time, and all happen that falls due on the way. */
  async to(time: number): Promise<void> {
    await this.until(async () => undefined, time);
    await this.#jump(time);
    await this.settle();
  }

  get #isQuiet(): boolean {
    return !this.#isJumping && !this.#clock.isDue && !this.#host.isMoving();
  }

  async #jump(time: number): Promise<void> {
    this.#isJumping = true;
    this.#clock.set(time);
    try {
      if (time - this.#tidiedAt >= TIDY_AFTER) {
        this.#tidiedAt = time;
        await this.#host.tidy();
      }
    } finally {
      this.#isJumping = false;
    }
    await this.#clock.ring();
  }
}
