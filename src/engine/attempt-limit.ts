/** What can end an attempt from outside. The signal is made only for who asks for it: most activities never do. */
export class AttemptLimit {
  #controller: AbortController | undefined;
  #reason: unknown;
  #aborted = false;
  #timer: NodeJS.Timeout | undefined;
  readonly #whenAborted = Promise.withResolvers<unknown>();

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#aborted) this.#controller.abort(this.#reason);
    return this.#controller.signal;
  }

  /** Resolves with the reason once it is aborted; else never. */
  get whenAborted(): Promise<unknown> {
    return this.#whenAborted.promise;
  }

  /** @param milliseconds from now; then the attempt is aborted with `reason()` */
  startTimer(milliseconds: number, reason: () => unknown): void {
    this.#timer = setTimeout(() => this.abort(reason()), milliseconds);
  }

  /** The attempt is over: the timer goes. */
  end(): void {
    clearTimeout(this.#timer);
  }

  abort(reason: unknown): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason;
    this.#whenAborted.resolve(reason);
    this.#controller?.abort(reason);
  }
}
