/** What an instance has done that can be undone, in the order in which it was done. */
import { decodeEnding } from "./child.ts";
import type { HistoryEvent } from "./history.ts";

/** Something that was done. */
export interface Step<Undo> {
  readonly operationId: string;
  /** How it is undone, in the caller's terms; the core does not look at it. */
  readonly undo: Undo;
  /** Encoded text of what came of it; `undefined` where nothing is recorded. */
  readonly result: string | undefined;
  /** The child that it has started. */
  readonly childId?: string;
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
    if (this.#offers.size === 0) return;
    if (event.kind === "child_ended") this.#noteEnd(event.childId, decodeEnding(event.ending).status);
    const undo = this.#offers.get(event.operationId);
    if (undo === undefined) return;
    const { operationId } = event;
    if (event.kind === "activity_completed") this.#done.push({ operationId, undo, result: event.result });
    if (event.kind === "compensation_added") this.#done.push({ operationId, undo, result: undefined });
    const childId = startedBy(event);
    if (childId !== undefined) this.#done.push({ operationId, undo, result: undefined, childId });
  }

  /** A child counts from its completion; one that ended otherwise has undone by itself what it had done. */
  #noteEnd(childId: string, status: string): void {
    const index = this.#done.findIndex((step) => step.childId === childId);
    const [step] = index === -1 ? [] : this.#done.splice(index, 1);
    if (step && status === "completed") this.#done.push(step);
  }

  /** What is to be undone, in this order: newest first. */
  get steps(): readonly Step<Undo>[] {
    return this.#done.toReversed();
  }
}

/** The child that the event says has been started. */
function startedBy(event: HistoryEvent): string | undefined {
  if (event.kind === "wait_started" && event.waitFor.kind === "child") return event.waitFor.childId;
  // Nothing else that can be undone is an action.
  return event.kind === "action_completed" ? (JSON.parse(event.result) as string) : undefined;
}
