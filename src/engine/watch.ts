/**
 * Notices what other processes did. On SQLite the file can be asked so cheaply that it is asked all the time. On a server
 * other processes tell (`Presence`), or it is polled: often after something happened, and ever more seldom after that.
 */

import type { Store } from "../store/store.ts";
import { clearTimeout, setTimeout } from "./machine-time.ts";

/** Milliseconds between two looks at a file; each costs some microseconds. */
const FILE_INTERVAL = 10;

/** Milliseconds between two looks at a server: at first; when somebody waits; when nobody does; when others tell. */
const FIRST_INTERVAL = 20;
const WAITING_INTERVAL = 250;
export const IDLE_INTERVAL = 1_000;
const TOLD_INTERVAL = 2_000;

export interface WatchOptions {
  readonly store: Store;
  /** Whether the survey of workers looks often enough when nothing happens. */
  readonly isSurveyed: boolean;
  /** Whether the look is needed at all times, and so keeps the process alive; else only during `during`. */
  readonly isNeeded: boolean;
  readonly onChange: () => Promise<void>;
  readonly onError: (error: unknown) => void;
}

export class Watch {
  readonly #options: WatchOptions;
  #timer: NodeJS.Timeout | undefined;
  #interval = FIRST_INTERVAL;
  #waiting = 0;
  #busy = false;
  #isOn = false;
  /** Whether others tell what they do. */
  #isTold = false;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.#isOn = true;
    this.#arm();
  }

  stop(): void {
    this.#isOn = false;
    clearTimeout(this.#timer);
  }

  /** Whether others tell has changed. */
  set isTold(isTold: boolean) {
    this.#isTold = isTold;
    this.quicken();
  }

  /** Something happened, so more may. */
  quicken(): void {
    this.#interval = FIRST_INTERVAL;
    this.#arm();
  }

  /** Keeps looking, and the process alive, while somebody waits. */
  async during<T>(wait: () => Promise<T>): Promise<T> {
    if (this.#waiting++ === 0) this.quicken();
    try {
      return await wait();
    } finally {
      if (--this.#waiting === 0) this.#arm();
    }
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const delay = this.#delay();
    if (!this.#isOn || delay === undefined) return;
    this.#timer = setTimeout(() => void this.#look(), delay);
    if (!this.#options.isNeeded && this.#waiting === 0) this.#timer.unref();
  }

  /** Milliseconds until the next look; `undefined` for none, because others tell or the survey of workers will do. */
  #delay(): number | undefined {
    const { store, isNeeded, isSurveyed } = this.#options;
    if (!store.isRemote) return FILE_INTERVAL;
    const isIdle = isSurveyed && this.#interval > IDLE_INTERVAL;
    if (this.#waiting === 0 && (this.#isTold || !isNeeded || isIdle)) return undefined;
    const longest = this.#isTold ? TOLD_INTERVAL : this.#waiting > 0 ? WAITING_INTERVAL : IDLE_INTERVAL;
    const delay = this.#isTold ? longest : Math.min(this.#interval, longest);
    // Workers that were woken together do not stay together.
    return delay * (0.75 + Math.random() / 2);
  }

  async #look(): Promise<void> {
    const { store, isNeeded, onChange, onError } = this.#options;
    this.#interval *= 2;
    if (this.#busy) return;
    this.#busy = true;
    try {
      if (store.isRemote || ((isNeeded || this.#waiting > 0) && store.changedByOthers() === true)) await onChange();
    } catch (error) {
      onError(error);
    } finally {
      this.#busy = false;
      this.#arm();
    }
  }
}
