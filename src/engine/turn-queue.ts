/**
 * Gives each run's turns a macrotask after the one in which they were asked for, without stopping the event loop for long
 * when a thousand runs have something to do at once.
 *
 * Several runs may share a macrotask; one run never gets two turns in the same one (X1 of execution.ts relies on it), for
 * what is asked for during a round waits for the next.
 */

import { AsyncLocalStorage } from "node:async_hooks";
import { performance, setImmediate } from "./machine-time.ts";

/** How long a round may last, in milliseconds, before others get their turn. */
const ROUND = 4;

/** Turns between two looks at the time, which cost as much as a small turn. */
const LOOK_EVERY = 8;

export class TurnQueue {
  #waiting: (() => void)[] = [];
  #current: (() => void)[] = [];
  #next = 0;
  #armed = false;
  /** The rounds belong to nobody: not to the workflow or activity that happened to ask first. */
  readonly #outside = AsyncLocalStorage.snapshot();

  readonly defer = (task: () => void): void => {
    this.#waiting.push(task);
    this.#arm();
  };

  /** Whether a turn is to come. */
  get isBusy(): boolean {
    return this.#armed;
  }

  #arm(): void {
    if (this.#armed) return;
    this.#armed = true;
    this.#outside(() => setImmediate(() => this.#run()));
  }

  #run(): void {
    this.#armed = false;
    if (this.#next === this.#current.length) {
      this.#current = this.#waiting;
      this.#next = 0;
      this.#waiting = [];
    }
    const end = performance.now() + ROUND;
    try {
      while (this.#next < this.#current.length && performance.now() < end) this.#runSome();
    } finally {
      if (this.#next < this.#current.length || this.#waiting.length > 0) this.#arm();
    }
  }

  #runSome(): void {
    const until = Math.min(this.#next + LOOK_EVERY, this.#current.length);
    while (this.#next < until) this.#current[this.#next++]?.();
  }
}
