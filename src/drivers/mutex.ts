/** Lets one in at a time, in the order of asking. */
export class Mutex {
  #held = false;
  readonly #waiting: (() => void)[] = [];
  #watching: (() => void)[] = [];

  /** Resolves with the function that lets the next one in; call it once. */
  async acquire(): Promise<() => void> {
    const now = this.acquireNow();
    if (now) return now;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.#releaser();
  }

  /** The same, if nobody is in. */
  acquireNow(): (() => void) | undefined {
    if (this.#held) return undefined;
    this.#held = true;
    return this.#releaser();
  }

  /**
   * `undefined` when nobody is in; else resolves when nobody was in for a moment: ask again. Who only watches never
   * holds it, so that many who watch cannot keep each other waiting.
   */
  idle(): Promise<void> | undefined {
    return this.#held ? new Promise((resolve) => this.#watching.push(resolve)) : undefined;
  }

  #releaser(): () => void {
    let released = false;
    return () => {
      if (released) return;
      released = true;
      this.#release();
    };
  }

  #release(): void {
    const next = this.#waiting.shift();
    // Ownership passes on directly, so that nobody can slip in between.
    if (next) {
      next();
      return;
    }
    this.#held = false;
    for (const resolve of this.#watching.splice(0)) resolve();
  }
}
