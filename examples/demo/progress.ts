/** How far the orders are, as far as the worker has told. */
import type { ProgressEvent } from "./events.ts";
import { ACTIVITIES_PER_ORDER } from "./order.ts";

export class Progress {
  readonly orders: number;
  readonly activities: number;
  readonly #done = new Set<string>();
  readonly #inFlight = new Set<string>();
  readonly #waiting = new Set<string>();
  readonly #finished = new Set<string>();

  constructor(orders: number) {
    this.orders = orders;
    this.activities = orders * ACTIVITIES_PER_ORDER;
  }

  get done(): number {
    return this.#done.size;
  }

  get finished(): number {
    return this.#finished.size;
  }

  /** Takes in an event, and says whether it is news: the second life of the worker repeats what has finished. */
  note(event: ProgressEvent): boolean {
    switch (event.event) {
      case "ready":
      case "log":
        return true;
      case "waiting":
        this.#waiting.add(event.instanceId);
        return true;
      case "finished":
        return added(this.#finished, event.instanceId);
      case "began":
        this.#waiting.delete(event.instanceId);
        this.#inFlight.add(keyOf(event));
        return true;
      case "ran":
      case "failed":
        this.#inFlight.delete(keyOf(event));
        if (event.event === "ran" || event.isFinal) this.#done.add(keyOf(event));
        return true;
    }
  }

  /** Half of the work is done, something is being done, and orders are in different stages; or it is the last chance. */
  get isInTheMiddle(): boolean {
    if (this.#inFlight.size === 0) return false;
    const isSpread = this.#waiting.size + this.#finished.size > 0 || this.orders === 1;
    return (this.done >= Math.floor(this.activities / 2) && isSpread) || this.done === this.activities - 1;
  }

  /** After the kill only what is recorded counts, whatever had been seen. */
  restart(recorded: Iterable<{ readonly orderId: string; readonly activityId: string }>): void {
    for (const set of [this.#done, this.#inFlight, this.#waiting]) set.clear();
    for (const { orderId, activityId } of recorded) this.#done.add(keyOf({ instanceId: orderId, activityId }));
  }
}

function keyOf({ instanceId, activityId }: { readonly instanceId: string; readonly activityId: string }): string {
  return `${instanceId}/${activityId}`;
}

function added<T>(set: Set<T>, value: T): boolean {
  const size = set.size;
  return set.add(value).size > size;
}
