import { clearTimeout, performance, setTimeout, wallClock } from "./machine-time.ts";

/** Time and randomness, so that tests can bring their own. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** A number from 0 up to, but not including, 1. */
  random(): number;
  /** Calls back once the time has come; at once when it has passed. Returns a function that calls it off. */
  at(time: number, callback: () => void): () => void;
  /** The same after so many milliseconds, even if the clock is set meanwhile. */
  after(milliseconds: number, callback: () => void): () => void;
}

/** The longest a timer of Node can wait; longer waits are made of several. */
const LONGEST_TIMER = 2 ** 31 - 1;

function clockOf(now: () => number): Clock {
  return {
    now,
    random: Math.random,
    at: (time, callback) => callAt(now, time, callback),
    after: (milliseconds, callback) => callAt(performance.now, performance.now() + milliseconds, callback),
  };
}

/** Calls back once that clock shows the time. */
function callAt(now: () => number, time: number, callback: () => void): () => void {
  let timer: NodeJS.Timeout;
  const arm = (): void => {
    const wait = time - now();
    // Timers of Node may fire a millisecond early; then the rest is waited for.
    timer = wait > 0 ? setTimeout(arm, Math.min(wait, LONGEST_TIMER)) : setTimeout(callback, 0);
  };
  arm();
  return () => clearTimeout(timer);
}

/** This machine's clock. */
export const systemClock: Clock = clockOf(wallClock);

/**
 * The database's clock, by which all workers measure wake-ups: their own clocks may differ from it, and from each other.
 * Between two looks at it time runs by the monotonic clock, which nobody can set.
 */
export class DatabaseClock {
  readonly clock: Clock = clockOf(() => this.#now());
  readonly #ask: () => Promise<number>;
  /** Epoch milliseconds of the database at the monotonic clock's zero. */
  #zero: number | undefined;

  /** @param ask the database's clock, in epoch milliseconds */
  constructor(ask: () => Promise<number>) {
    this.#ask = ask;
  }

  /** Looks at the database's clock. */
  async sync(): Promise<void> {
    const begun = performance.now();
    const time = await this.#ask();
    const ended = performance.now();
    const zero = time - (begun + ended) / 2;
    // An answer is no more exact than its journey is long: within that, the clock is left alone and runs evenly.
    if (this.#zero === undefined || Math.abs(zero - this.#zero) > (ended - begun) / 2 + 1) this.#zero = zero;
  }

  #now(): number {
    return this.#zero === undefined ? wallClock() : Math.round(this.#zero + performance.now());
  }
}
