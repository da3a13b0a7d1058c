import type { Clock } from "./clock.ts";

/** The points in time at which the open operations of one run become due, behind one timer. */
export class Timers {
  readonly #clock: Clock;
  readonly #onDue: () => void;
  /** Epoch milliseconds by operation id, in the order of asking. */
  readonly #due = new Map<string, number>();
  #callOff: (() => void) | undefined;

  constructor(clock: Clock, onDue: () => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  get earliest(): number | undefined {
    let earliest: number | undefined;
    for (const at of this.#due.values()) earliest = Math.min(earliest ?? at, at);
    return earliest;
  }

  get isEmpty(): boolean {
    return this.#due.size === 0;
  }

  set(operationId: string, at: number): void {
    this.#due.set(operationId, at);
  }

  cancel(operationId: string): void {
    this.#due.delete(operationId);
  }

  /** Cancels those of other operations. */
  keepOnly(isKept: (operationId: string) => boolean): void {
    for (const operationId of this.#due.keys()) if (!isKept(operationId)) this.#due.delete(operationId);
  }

  /** Takes out the operations that are due, earliest first; of one time, in the order of asking. */
  takeDue(now: number): string[] {
    const due = [...this.#due].filter(([, at]) => at <= now).toSorted(([, a], [, b]) => a - b);
    for (const [operationId] of due) this.#due.delete(operationId);
    return due.map(([operationId]) => operationId);
  }

  /** Calls back when the earliest one is due. */
  arm(): void {
    this.disarm();
    const { earliest } = this;
    if (earliest !== undefined) this.#callOff = this.#clock.at(earliest, this.#onDue);
  }

  disarm(): void {
    this.#callOff?.();
    this.#callOff = undefined;
  }
}
