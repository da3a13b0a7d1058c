import type { Clock } from "./clock.ts";

/** One timer for many times: it rings at the earliest that it was set to, and then knows of none. */
export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  /** Epoch milliseconds. */
  #time = Number.POSITIVE_INFINITY;
  #callOff: (() => void) | undefined;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** @param time in epoch milliseconds; it may be past */
  set(time: number): void {
    if (time >= this.#time) return;
    this.#callOff?.();
    this.#time = time;
    this.#callOff = this.#clock.at(time, () => {
      this.#time = Number.POSITIVE_INFINITY;
      this.#ring();
    });
  }

  /** It does not ring any more, until it is set again. */
  callOff(): void {
    this.#callOff?.();
    this.#time = Number.POSITIVE_INFINITY;
  }
}
