/** Lets one in at a time, in the order of asking. */
export class Mutex {
  #held = false;
  readonly #waiting: (() => void)[] = [];

  /** Resolves with the function that lets the next one in; call it once. */
  async acquire(): Promise<() => void> {
    const now = this.acquireNow();
    if (now) return now;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.#releaser();
  }

  /** The same, if nobody is in and nobody waits. */
  acquireNow(): (() => void) | undefined {
    if (this.#held) return undefined;
    this.#held = true;
    return this.#releaser();
  }

  /** `undefined` when nobody is in; else resolves when that may have changed: ask again. */
  idle(): Promise<void> | undefined {
    return this.#held ? this.acquire().then((release) => release()) : undefined;
  }

  #releaser(): () => void {
    let released = false;
    return () => {
      if (released) return;
      released = true;
      const next = this.#waiting.shift();
      // Ownership passes on directly, so that nobody can slip in between.
      if (next) next();
      else this.#held = false;
    };
  }
}
