/** Time that passes only when a test lets it pass. */
import type { RomancyOptions } from "../index.ts";
import { macrotask } from "./real-time.ts";

/** How a test app takes hold of the engine. */
export type Seams = NonNullable<RomancyOptions["~seams"]>;

type Clock = NonNullable<Seams["clock"]>;

interface Timer {
  /** Epoch milliseconds. */
  readonly time: number;
  readonly callback: () => void;
}

export class VirtualClock implements Clock {
  #now: number;
  #state: number;
  /** In the order of time; of one time, in the order of asking. */
  readonly #timers: Timer[] = [];
  #isRinging = false;

  /**
   * @param start epoch milliseconds
   * @param seed of what chance decides
   */
  constructor(start: number, seed: number) {
    this.#now = start;
    this.#state = seed;
  }

  now(): number {
    return this.#now;
  }

  /** The mulberry32 generator: the same numbers for the same seed. */
  random(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  at(time: number, callback: () => void): () => void {
    const timer = { time, callback };
    const later = this.#timers.findIndex((other) => other.time > time);
    this.#timers.splice(later === -1 ? this.#timers.length : later, 0, timer);
    if (this.isDue) void this.ring();
    return () => {
      const index = this.#timers.indexOf(timer);
      if (index !== -1) this.#timers.splice(index, 1);
    };
  }

  after(milliseconds: number, callback: () => void): () => void {
    return this.at(this.#now + milliseconds, callback);
  }

  /** When the next timer is due, in epoch milliseconds. */
  get next(): number | undefined {
    return this.#timers[0]?.time;
  }

  /** Whether a timer is due that has not been called yet. */
  get isDue(): boolean {
    return this.next !== undefined && this.next <= this.#now;
  }

  /** Sets the clock; whoever is due is called by `ring`. It never goes back. */
  set(time: number): void {
    this.#now = Math.max(this.#now, time);
  }

  /** Forgets all timers: who set them is dead. */
  clear(): void {
    this.#timers.length = 0;
  }

  /** Calls whoever is due, a macrotask later, each in its turn. */
  async ring(): Promise<void> {
    if (this.#isRinging) return;
    this.#isRinging = true;
    await macrotask();
    this.#isRinging = false;
    while (this.isDue) this.#timers.shift()?.callback();
  }
}
