/** Runs tasks, at most so many at once, in the order of asking, and only while the gate is open. */
export class Slots {
  readonly #limit: number;
  readonly #isOpen: () => boolean;
  #running = 0;
  #waiting: (() => Promise<void>)[] = [];
  #onIdle: (() => void)[] = [];
  readonly #onDone = (): void => {
    this.#running--;
    this.poke();
    if (this.#running > 0) return;
    for (const resolve of this.#onIdle.splice(0)) resolve();
  };

  /** @param isOpen asked before each start; call `poke` when it may have become true */
  constructor(limit: number, isOpen: () => boolean) {
    this.#limit = limit;
    this.#isOpen = isOpen;
  }

  /** Runs the task, which must not reject, when its turn comes. */
  run(task: () => Promise<void>): void {
    this.#waiting.push(task);
    this.poke();
  }

  /** Starts what can be started. */
  poke(): void {
    while (this.#running < this.#limit && this.#waiting.length > 0 && this.#isOpen()) {
      const task = this.#waiting.shift();
      if (task) this.#start(task);
    }
  }

  /** Forgets what has not started. */
  clear(): void {
    this.#waiting = [];
  }

  get running(): number {
    return this.#running;
  }

  /** Whether there is room for what has not started. */
  get isHeldUp(): boolean {
    return this.#waiting.length > 0 && this.#running < this.#limit;
  }

  /** Resolves when nothing runs. */
  async idle(): Promise<void> {
    if (this.#running > 0) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  #start(task: () => Promise<void>): void {
    this.#running++;
    void task().then(this.#onDone);
  }
}
