/**
 * The open receives of one run on competing channels. Their messages lie in the database until one subscriber's commit
 * takes them.
 *
 * Invariants (C1 ...):
 * C1. A receive that found nothing is noted as waiting by that very commit; after it is looked again, for a message that
 *     came between. So either the sender sees who waits, or who waits sees the message.
 * C2. What is noted is the subscription, not the receive: when one of several receives is answered, or late, its commit takes
 *     the note back, so the others try again, and are noted again.
 * C3. Who was called tries to take, whatever has become of the receive: a call is never spent in vain.
 */

/** How a receive stands. */
interface Receive {
  readonly channel: string;
  state: "idle" | "taking" | "looking";
  /** It was called, or its time came, while it was busy. */
  again: boolean;
  /** Its time is up: the next try is the last. */
  isLate: boolean;
}

export interface CompetingHost {
  /** Answers it with what was sent to the instance itself on the channel; whether there was anything. */
  answer(operationId: string, channel: string): boolean;
  /** Has a message taken by the next commit; `answered` or `missed` follows. */
  take(operationId: string, channel: string, waits: boolean): void;
  /** Whether the channel has messages. */
  hasMessages(channel: string): Promise<boolean>;
  /** Nothing came in time. */
  timeUp(operationId: string, channel: string): void;
  /** It only waits now, or is to take again: there is something to be done about it, or not any more. */
  changed(): void;
}

export class CompetingReceives {
  readonly #host: CompetingHost;
  readonly #open = new Map<string, Receive>();
  /** All that were ever received from. */
  readonly channels: Set<string> = new Set();

  constructor(host: CompetingHost) {
    this.#host = host;
  }

  /** Whether anything is waited for. */
  get isAwaited(): boolean {
    return this.#open.size > 0;
  }

  /** Whether any of them is not just waiting. */
  get isBusy(): boolean {
    for (const { state } of this.#open.values()) if (state !== "idle") return true;
    return false;
  }

  open(operationId: string, channel: string): void {
    const receive: Receive = { channel, state: "idle", again: false, isLate: false };
    this.#open.set(operationId, receive);
    this.channels.add(channel);
    this.#try(operationId, receive);
  }

  /** There may be messages for any of them. */
  called(): void {
    for (const [operationId, receive] of this.#open) this.#try(operationId, receive);
  }

  /** Its time is up; whether it is one of these, and so will be told of by `timeUp` unless it takes something yet. */
  expire(operationId: string): boolean {
    const receive = this.#open.get(operationId);
    if (!receive) return false;
    receive.isLate = true;
    this.#try(operationId, receive);
    return true;
  }

  /** It has a message. */
  answered(operationId: string): void {
    const receive = this.#open.get(operationId);
    this.#open.delete(operationId);
    if (receive) this.#tryOthers(receive.channel);
  }

  /** There was none. */
  async missed(operationId: string, waited: boolean): Promise<void> {
    const receive = this.#open.get(operationId);
    if (!receive) return;
    if (receive.isLate && !waited) {
      this.#open.delete(operationId);
      this.#tryOthers(receive.channel);
      this.#host.timeUp(operationId, receive.channel);
      return;
    }
    receive.state = "looking";
    // Nothing is lost when it cannot be looked: then it is called when others find out.
    const isThere = await this.#host.hasMessages(receive.channel).catch(() => false);
    if (this.#open.get(operationId) !== receive) return;
    receive.state = "idle";
    if (isThere || receive.again || receive.isLate) this.#try(operationId, receive);
    this.#host.changed();
  }

  /** Ends the receives of other operations; a message that one of them takes at this moment is taken. */
  keepOnly(isKept: (operationId: string) => boolean): void {
    for (const operationId of this.#open.keys()) if (!isKept(operationId)) this.#open.delete(operationId);
  }

  /** The run is over. */
  clear(): void {
    this.#open.clear();
  }

  #tryOthers(channel: string): void {
    for (const [operationId, receive] of this.#open) if (receive.channel === channel) this.#try(operationId, receive);
  }

  #try(operationId: string, receive: Receive): void {
    if (receive.state !== "idle") {
      receive.again = true;
      return;
    }
    if (this.#host.answer(operationId, receive.channel)) {
      this.#open.delete(operationId);
      return;
    }
    receive.state = "taking";
    receive.again = false;
    this.#host.take(operationId, receive.channel, !receive.isLate);
  }
}
