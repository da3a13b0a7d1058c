/** Notices what other processes wrote, where the database can be asked so cheaply that it is asked all the time. */
import type { Store } from "../store/store.ts";

/** Milliseconds between two looks; each costs some microseconds. */
const INTERVAL = 10;

export interface WatchOptions {
  readonly store: Store;
  /** Whether the look is needed at all times, and so keeps the process alive; else only during `during`. */
  readonly isNeeded: boolean;
  readonly onChange: () => Promise<void>;
  readonly onError: (error: unknown) => void;
}

export class Watch {
  readonly #options: WatchOptions;
  #timer: NodeJS.Timeout | undefined;
  #waiting = 0;
  #busy = false;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => void this.#look(), INTERVAL);
    if (!this.#options.isNeeded) this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Keeps looking, and the process alive, while somebody waits. */
  async during<T>(wait: () => Promise<T>): Promise<T> {
    if (this.#waiting++ === 0) this.#timer?.ref();
    try {
      return await wait();
    } finally {
      if (--this.#waiting === 0 && !this.#options.isNeeded) this.#timer?.unref();
    }
  }

  async #look(): Promise<void> {
    const { store, isNeeded, onChange, onError } = this.#options;
    if (this.#busy || (!isNeeded && this.#waiting === 0)) return;
    this.#busy = true;
    try {
      if (store.changedByOthers() === true) await onChange();
    } catch (error) {
      onError(error);
    } finally {
      this.#busy = false;
    }
  }
}
