import type { Advance, InstancePatch, Read, Subscription } from "../core/commit.ts";
import type { HistoryEvent } from "../core/history.ts";

/** What a run's next commit takes along. */
export class Draft {
  #events: HistoryEvent[] = [];
  #reads: Read[] = [];
  #subscriptions: Subscription[] = [];
  #hasSubscribed: boolean;
  /** How the instance's row changes. */
  patch: InstancePatch | undefined;

  /** @param hasSubscribed whether the instance hears of anything already */
  constructor(hasSubscribed: boolean) {
    this.#hasSubscribed = hasSubscribed;
  }

  get isEmpty(): boolean {
    return this.#events.length === 0 && this.patch === undefined;
  }

  /** @param position of the message that the event tells of */
  add(event: HistoryEvent, position: number | undefined): void {
    this.#events.push(event);
    if (position !== undefined) this.#reads.push({ position, at: event.at });
    if (event.kind !== "wait_started") return;
    const { types, key } = event.waitFor;
    this.#hasSubscribed = true;
    for (const type of types) this.#subscriptions.push({ type, key });
  }

  /** Forgets what happened: only the patch goes. */
  dropEvents(): void {
    this.#events = [];
    this.#reads = [];
    this.#subscriptions = [];
  }

  take(instanceId: string, epoch: number): Advance {
    const { patch } = this;
    const ends = patch?.event === "complete" || patch?.event === "fail";
    const advance: Advance = {
      type: "advance",
      instanceId,
      epoch,
      events: this.#events,
      patch,
      reads: this.#reads,
      subscriptions: ends ? [] : this.#subscriptions,
      unsubscribes: ends && this.#hasSubscribed,
    };
    this.dropEvents();
    this.patch = undefined;
    return advance;
  }
}
