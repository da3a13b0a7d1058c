import type { HistoryEvent, NewEvent, WaitFor } from "../core/history.ts";
import type { InboxMessage } from "../store/store.ts";

/**
 * The open waits of one run, and what is in its inbox: each message answers the first wait, in the order of asking,
 * that it fits, and only one. What fits none stays for later waits.
 */
export class Mailbox {
  readonly #waits = new Map<string, WaitFor>();
  readonly #unread: InboxMessage[] = [];
  /** Positions of messages, by the operations that they have answered, until it is asked for them. */
  readonly #answers = new Map<string, number>();
  /** The last position that is known. */
  #known = 0;

  /** Whether anything is waited for. */
  get isAwaited(): boolean {
    return this.#waits.size > 0;
  }

  open(operationId: string, waitFor: WaitFor): void {
    this.#waits.set(operationId, waitFor);
  }

  /** Takes in what is unread, in order; what it has already is passed over. */
  add(messages: readonly InboxMessage[]): void {
    for (const message of messages) {
      if (message.position <= this.#known) continue;
      this.#known = message.position;
      this.#unread.push(message);
    }
  }

  /** The next answer to a wait, if any. */
  answer(at: number): NewEvent | undefined {
    for (const [index, message] of this.#waits.size > 0 ? this.#unread.entries() : []) {
      const [operationId, waitFor] = this.#waitFor(message) ?? [];
      if (operationId === undefined || waitFor === undefined) continue;
      this.#waits.delete(operationId);
      return this.#take(index, operationId, waitFor, at);
    }
    return undefined;
  }

  /** The answer to one wait that is not among these, if there is any. */
  answerTo(operationId: string, waitFor: WaitFor, at: number): NewEvent | undefined {
    const index = this.#unread.findIndex((message) => fits(waitFor, message));
    return index === -1 ? undefined : this.#take(index, operationId, waitFor, at);
  }

  /** The end of a wait whose time is up; `undefined` when the operation is none. */
  timeUp(operationId: string, at: number): NewEvent | undefined {
    const waitFor = this.#waits.get(operationId);
    this.#waits.delete(operationId);
    return waitFor && { kind: "wait_timed_out", operationId, at, waitFor };
  }

  /** Ends the waits of other operations. */
  keepOnly(isKept: (operationId: string) => boolean): void {
    for (const operationId of this.#waits.keys()) if (!isKept(operationId)) this.#waits.delete(operationId);
  }

  /** The place in the inbox of the message that the event tells of; `undefined` for other events. Once only. */
  takePosition({ kind, operationId }: HistoryEvent): number | undefined {
    if (kind !== "message_received" && kind !== "child_ended") return undefined;
    const position = this.#answers.get(operationId);
    this.#answers.delete(operationId);
    return position;
  }

  #take(index: number, operationId: string, waitFor: WaitFor, at: number): NewEvent {
    const message = this.#unread[index] as InboxMessage;
    const { position, attributes, data } = message;
    this.#answers.set(operationId, position);
    // The end of a child is told to all who wait for it, a message to one.
    if (waitFor.kind !== "child" || !this.#waitFor(message)) this.#unread.splice(index, 1);
    if (waitFor.kind !== "child") return { kind: "message_received", operationId, at, attributes, data };
    const { childId, workflow } = waitFor;
    return { kind: "child_ended", operationId, at, childId, workflow, ending: data };
  }

  #waitFor(message: InboxMessage): [string, WaitFor] | undefined {
    for (const entry of this.#waits) if (fits(entry[1], message)) return entry;
    return undefined;
  }
}

function fits(wait: WaitFor, { kind, type, key, attributes }: InboxMessage): boolean {
  if (wait.kind !== kind) return false;
  if (wait.kind === "child") return wait.childId === type && (attributes["turn"] as number) >= wait.turn;
  if (wait.kind === "channel") return wait.channel === type;
  return wait.types.includes(type) && (wait.key === null || wait.key === key);
}
