import type { HistoryEvent, NewEvent } from "./history.ts";

/** A place in the queue; held until it is known whether its event happened. */
export interface Slot {
  readonly seq: number;
  event: HistoryEvent | "held" | "cancelled";
}

/** A place kept in the history for an event whose commit is under way. */
export interface Reservation {
  readonly seq: number;
  /** The event is durable: it takes its place. */
  fulfil(event: NewEvent): void;
  /** It did not happen. */
  cancel(): void;
}

/** Has the operation's events in these places count as not having happened; gives those of it that are left. */
export function callOff(queue: readonly Slot[], operationId: string, places: ReadonlySet<number>): HistoryEvent[] {
  const left: HistoryEvent[] = [];
  for (const slot of queue) {
    const { seq, event } = slot;
    if (typeof event !== "object" || event.operationId !== operationId) continue;
    if (places.has(seq)) slot.event = "cancelled";
    else left.push(event);
  }
  return left;
}
