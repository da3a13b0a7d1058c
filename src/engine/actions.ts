/** What one run has done by the database itself, within its commits: asked for, under way, answered. */
import type { Action, ActionRequest } from "../core/action.ts";
import type { Execution, Reservation } from "../core/execution.ts";
import type { NewEvent, WaitFor } from "../core/history.ts";
import { CompetingReceives } from "./competing.ts";
import type { Draft } from "./draft.ts";
import type { Request } from "./requests.ts";

export interface ActionsHost {
  readonly execution: Execution<Request>;
  readonly draft: Draft;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly hasMessages: (channel: string) => Promise<boolean>;
  /** The same request, with the context in which traces go on. */
  readonly traced: (request: ActionRequest) => ActionRequest;
  /** A wait has begun. */
  readonly openWait: (operationId: string, waitFor: WaitFor, deadline: number | null) => void;
  /** Answers a wait with what is in the inbox; whether there was anything. */
  readonly answer: (operationId: string, waitFor: WaitFor) => boolean;
  /** Its timer is not needed any more. */
  readonly callOff: (operationId: string) => void;
}

export class Actions {
  readonly #host: ActionsHost;
  readonly #receives: CompetingReceives;
  /** Places kept for the records of what is under way. */
  readonly #places = new Map<number, Reservation>();
  #isOver = false;

  constructor(host: ActionsHost) {
    this.#host = host;
    this.#receives = new CompetingReceives({
      take: (operationId, channel, waits) => this.ask(operationId, { type: "take", channel, waits }),
      answer: (operationId, channel) => host.answer(operationId, { kind: "channel", channel, mode: "competing" }),
      hasMessages: host.hasMessages,
      timeUp: (operationId, channel) => {
        const waitFor = { kind: "channel", channel, mode: "competing" } as const;
        host.execution.record({ kind: "wait_timed_out", operationId, at: host.now(), waitFor });
      },
      changed: () => host.execution.turn(),
    });
  }

  /** Whether anything is under way. */
  get isBusy(): boolean {
    return this.#places.size > 0 || this.#receives.isBusy;
  }

  /** Whether a message of a competing channel is waited for. */
  get isAwaited(): boolean {
    return this.#receives.isAwaited;
  }

  /** Competing channels of which it has received, or would have; a call for it may have come too late. */
  get competing(): readonly string[] {
    return [...this.#receives.channels];
  }

  /** Has it done by the next commit. */
  ask(operationId: string, request: ActionRequest): void {
    const place = this.#host.execution.reserve();
    this.#places.set(place.seq, place);
    this.#host.draft.act({ seq: place.seq, operationId, at: this.#host.now(), request: this.#host.traced(request) });
  }

  /** Waits for a message of a competing channel. */
  receive(operationId: string, channel: string): void {
    this.#receives.open(operationId, channel);
  }

  /** Something was sent to the instance, or it was called to take something. */
  called(): void {
    this.#receives.called();
  }

  /** Its time is up; whether it is a wait of these, which then ends by itself. */
  expire(operationId: string): boolean {
    return this.#receives.expire(operationId);
  }

  /** Ends the waits of other operations. */
  keepOnly(isKept: (operationId: string) => boolean): void {
    this.#receives.keepOnly(isKept);
  }

  /** What came of them, durably; `undefined` where nothing did. */
  settle(actions: readonly Action[], answers: readonly (NewEvent | undefined)[]): void {
    for (const [index, action] of actions.entries()) {
      const place = this.#places.get(action.seq);
      this.#places.delete(action.seq);
      if (place && !this.#isOver) this.#answer(action, answers[index], place);
    }
  }

  /** The run is over. */
  clear(): void {
    this.#isOver = true;
    this.#receives.clear();
  }

  #answer({ operationId, request }: Action, event: NewEvent | undefined, place: Reservation): void {
    if (request.type === "take") {
      if (event) {
        this.#receives.answered(operationId);
        this.#host.callOff(operationId);
      } else {
        void this.#receives.missed(operationId, request.waits);
      }
    }
    if (event?.kind === "wait_started") this.#host.openWait(operationId, event.waitFor, event.deadline);
    if (event) place.fulfil(event);
    else place.cancel();
  }
}
