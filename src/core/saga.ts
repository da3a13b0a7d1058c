/** What an instance has done that can be undone, in the order in which it was done. */
import type { HistoryEvent } from "./history.ts";

/** Something that was done. */
export interface Step<Undo> {
  readonly operationId: string;
  /** How it is undone, in the caller's terms; the core does not look at it. */
  readonly undo: Undo;
  /** Encoded text of what came of it; `undefined` where nothing is recorded. */
  readonly result: string | undefined;
}

export class Saga<Undo> {
  /** What can be undone once it is done, by operation. */
  readonly #offers = new Map<string, Undo>();
  readonly #done: Step<Undo>[] = [];

  /** The operation can be undone; before any of its events is noted. */
  offer(operationId: string, undo: Undo): void {
    this.#offers.set(operationId, undo);
  }

  /** What has happened; each event once, in order. */
  note(event: HistoryEvent): void {
    if (event.kind !== "activity_completed" && event.kind !== "compensation_added") return;
    const { operationId } = event;
    const undo = this.#offers.get(operationId);
    if (undo === undefined) return;
    this.#done.push({ operationId, undo, result: event.kind === "activity_completed" ? event.result : undefined });
  }

  /** What is to be undone, in this order: newest first. */
  get steps(): readonly Step<Undo>[] {
    return this.#done.toReversed();
  }
}
