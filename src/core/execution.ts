/**
 * One instance's code, run against its history.
 *
 * Invariants (cited as X1 ... where relied upon):
 * X1. Completions reach the code in order of `seq`, one per macrotask, so that every microtask of one delivery has run
 *     before the next. Live completions wait in the same queue: live and replay cannot differ.
 * X2. A turn is handed out only when the code is quiet and the queue is empty or held; so no operation is started while
 *     history has undelivered completions.
 * X3. Nothing is thrown into the code but recorded failures. Code that must not go on is left with promises that never
 *     settle.
 * X4. Once parked or closed, nothing the code asks for has any effect.
 * X5. A cancel has its place among the completions: what is open then is rejected, and whatever is asked for after it,
 *     but for what is shielded. Refusals, too, come one per macrotask, before the next completion.
 */
import { type Settler, settle } from "./answer.ts";
import { decode, encode } from "./codec.ts";
import { divergence } from "./divergence.ts";
import { CancelledError, messageOf, OperationIdConflictError, readable, StoreError } from "./errors.ts";
import {
  type Completion,
  type HistoryEvent,
  indexHistory,
  isCompletion,
  type NewEvent,
  type OperationKind,
  operationKindOf,
  type RecordedOperation,
} from "./history.ts";
import type { Operation } from "./operation.ts";
import { heedRetries } from "./retrying.ts";
import { callOff, type Reservation, type Slot } from "./slot.ts";
import type { Outcome, Turn } from "./turn.ts";

/** What is run, against which history. */
export interface ExecutionSource {
  /** What is recorded so far, in order of `seq`. */
  readonly history: readonly HistoryEvent[];
  /** The last `seq` before this history. Default 0. */
  readonly after?: number;
  /** Whether the code came to its end within this history, so that nothing is added to it. Default `false`. */
  readonly isComplete?: boolean;
  /** Runs the user's code; called once. */
  readonly program: () => unknown;
}

export interface ExecutionOptions<Request> extends ExecutionSource {
  readonly instanceId: string;
  /** Runs a task in a later macrotask. */
  readonly defer: (task: () => void) => void;
  /** Called at the end of each turn. */
  readonly onTurn: (turn: Turn<Request>) => void;
  /** Whether what is asked for at this moment goes on though the instance is cancelled. Default: never. */
  readonly isShielded?: () => boolean;
  /** Called when the code is told that the instance is cancelled. */
  readonly onCancel?: (error: CancelledError) => void;
  /**
   * Called with each event as the code comes to it, whether it waits for it or has ended.
   *
   * @param request what the code waits for, if it does
   */
  readonly onEvent?: (event: HistoryEvent, request: Request | undefined) => void;
}

/** Operations that cancelled code may ask for in vain; code that goes on asking is ended. */
const MOST_REFUSALS = 1_000;

interface OpenOperation<Request> extends Operation<Request>, Settler {}

type State = "running" | "parked" | "closed";

export class Execution<Request> {
  readonly #options: ExecutionOptions<Request>;
  readonly #recorded: Map<string, RecordedOperation>;
  /** Asked for and not answered yet. */
  readonly #open = new Map<string, OpenOperation<Request>>();
  /** Every operation asked for so far, answered or not, with its kind. */
  readonly #asked = new Map<string, OperationKind>();
  readonly #queue: Slot[];
  /** See `HeededHistory`. */
  readonly #doubtful: ReadonlySet<number>;
  /** Index in `#queue` of the next slot to deliver; the ones before it are done. */
  #next = 0;
  #seq: number;
  #lastRecordedSeq: number;
  #fresh: HistoryEvent[] = [];
  #requested: Operation<Request>[] = [];
  #outcome: Outcome | undefined;
  #outcomeTold = false;
  #state: State = "running";
  #strayed = false;
  #advancing = false;
  #cancellation: CancelledError | undefined;
  readonly #advanceLater = (): void => this.#advance();
  /** Rejections of what was asked for after the cancel. */
  readonly #refusals: (() => void)[] = [];
  #refused = 0;

  constructor(options: ExecutionOptions<Request>) {
    this.#options = options;
    const { events, doubtful } = heedRetries(options.history);
    this.#recorded = indexHistory(events);
    this.#queue = events.map((event) => ({ seq: event.seq, event }));
    this.#doubtful = doubtful;
    this.#seq = events.at(-1)?.seq ?? options.after ?? 0;
    // Behind a retry with which the history ends, the code goes on as it is today.
    this.#lastRecordedSeq = events.findLast(({ kind }) => kind !== "retried")?.seq ?? 0;
  }

  /** Whether the code is still being answered from what was recorded before. */
  get isReplaying(): boolean {
    const next = this.#queue[this.#next];
    return this.#options.isComplete === true || (next !== undefined && next.seq <= this.#lastRecordedSeq);
  }

  /** Whether parked code went on by itself, on something that is not an operation; it must be replayed, not resumed. */
  get hasStrayed(): boolean {
    return this.#strayed;
  }

  /** Whether it is set aside: nothing that is recorded now has any effect (X4). */
  get isParked(): boolean {
    return this.#state === "parked";
  }

  /** Whether all that happened has come to the code, or past it. */
  get isDrained(): boolean {
    return this.#next === this.#queue.length;
  }

  /** The last `seq` that was given. */
  get lastSeq(): number {
    return this.#seq;
  }

  /** Whether a turn is under way. */
  get isAdvancing(): boolean {
    return this.#advancing;
  }

  /** Runs the code until it first asks for something. */
  start(): void {
    new Promise((resolve) => {
      resolve(this.#options.program());
    }).then(
      (value) => this.#end({ type: "returned", value }),
      (error: unknown) => this.#end({ type: "threw", error: readable(error) }),
    );
    this.#schedule();
  }

  /**
   * Asks for an operation; the promise settles when its completion is delivered.
   *
   * @param opening recorded when the operation is asked for the very first time
   */
  open(kind: OperationKind, id: string, request: Request, opening?: NewEvent): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers();
    // The code may await this promise later than it rejects, or never (a loser of a race).
    promise.catch(() => {});
    try {
      if (!this.#accepts(kind, id)) return promise;
    } catch (conflict) {
      reject(conflict);
      return promise;
    }
    const isShielded = this.#options.isShielded?.() ?? false;
    if (this.#cancellation && !isShielded) {
      this.#refuse(reject, this.#cancellation);
      return promise;
    }
    const recorded = this.#recorded.get(id);
    const operation = { id, kind, request, recorded, isShielded, resolve, reject };
    this.#open.set(id, operation);
    if (!recorded && opening) this.record(opening);
    if (!recorded?.events.some(isCompletion)) this.#requested.push(operation);
    return promise;
  }

  /** A value that is the same on every replay: recorded at the first call, given back later. */
  value<T>(id: string, at: number, produce: () => T): T {
    const accepted = this.#accepts("value", id);
    const [recorded] = this.#recorded.get(id)?.events ?? [];
    if (recorded?.kind === "value_recorded") return this.#read(id, recorded.value) as T;
    const value = encode(produce(), `The value of ${id}`);
    if (accepted) this.record({ kind: "value_recorded", operationId: id, at, value });
    return decode(value) as T;
  }

  /** Whether the history, as it was loaded, records the operation; what is completed is forgotten once it is delivered. */
  hasRecord(id: string): boolean {
    return this.#recorded.has(id);
  }

  /** Has the history say that the code has come by here. */
  mark(kind: OperationKind, event: NewEvent): void {
    if (this.#accepts(kind, event.operationId) && !this.#recorded.has(event.operationId)) this.record(event);
  }

  /** Appends an event that just happened; a completion is delivered in its turn (X1). */
  record(event: NewEvent): void {
    if (this.#state !== "running") return;
    const placed: HistoryEvent = { ...event, seq: ++this.#seq };
    this.#fresh.push(placed);
    this.#queue.push({ seq: placed.seq, event: placed });
    this.#schedule();
  }

  /** Keeps the next place for an event that is made durable elsewhere; later events wait behind it (X1). */
  reserve(): Reservation {
    const slot: Slot = { seq: ++this.#seq, event: "held" };
    this.#queue.push(slot);
    const settle = (event: HistoryEvent | "cancelled"): void => {
      slot.event = event;
      this.#schedule();
    };
    return {
      seq: slot.seq,
      fulfil: (event) => settle({ ...event, seq: slot.seq }),
      cancel: () => settle("cancelled"),
    };
  }

  /** Has a turn made even if nothing was recorded: what is open may stand otherwise now. */
  turn(): void {
    this.#schedule();
  }

  /** Sets the code aside while it only waits; it can be resumed. */
  park(): void {
    if (this.#state === "running") this.#state = "parked";
  }

  /** Goes on where it was parked: with a turn, even if nothing was recorded meanwhile. */
  resume(): void {
    if (this.#state !== "parked") return;
    this.#state = "running";
    this.#schedule();
  }

  /** Drops the code for good: none of its promises settles any more (X3). */
  close(): void {
    this.#state = "closed";
    this.#open.clear();
    this.#queue.length = 0;
  }

  /** Whether the code may ask for this; notices two of one id, and one recorded under another kind. */
  #accepts(kind: OperationKind, id: string): boolean {
    if (this.#state !== "running") {
      this.#strayed = true;
      return false;
    }
    if (this.#outcome) return false;
    if (this.#asked.has(id)) throw new OperationIdConflictError(id);
    this.#asked.set(id, kind);
    const recorded = this.#recorded.get(id);
    if (recorded === undefined || recorded.kind === kind) return true;
    this.#diverge(recorded.events[0], `asked for ${id} as ${kind}`);
    return false;
  }

  #end(outcome: Outcome): void {
    if (this.#state !== "running") {
      this.#strayed = true;
      return;
    }
    this.#outcome ??= outcome;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#advancing || this.#state !== "running") return;
    this.#advancing = true;
    this.#options.defer(this.#advanceLater);
  }

  /** One macrotask: one delivery, or the end of the turn. */
  #advance(): void {
    this.#advancing = false;
    if (this.#state !== "running") return;
    const refuse = this.#refusals.shift();
    refuse?.();
    if (refuse || this.#deliverNext()) {
      this.#schedule();
      return;
    }
    this.#compact();
    this.#hand();
  }

  /** Passes over what the code does not wait for, up to the first thing that it does; whether there was such. */
  #deliverNext(): boolean {
    while (this.#outcome?.type !== "diverged") {
      const event = this.#queue[this.#next]?.event;
      if (event === undefined || event === "held") break;
      this.#next++;
      if (event === "cancelled") continue;
      if (!this.#isExpected(event) && this.#doubtful.has(event.seq)) {
        this.#forget(event.operationId);
        continue;
      }
      if (!this.#isExpected(event)) {
        this.#diverge(event, this.#describeState());
        break;
      }
      this.#options.onEvent?.(event, this.#open.get(event.operationId)?.request);
      if (!this.#outcome && this.#tell(event)) return true;
    }
    return false;
  }

  /** Whether it is something that the code goes on with. */
  #tell(event: HistoryEvent): boolean {
    if (event.kind === "cancel_requested") this.#cancel(event.reason);
    return event.kind === "cancel_requested" || (isCompletion(event) && this.#deliver(event));
  }

  /** Code that has not asked for what is recorded, and has ended or waits for something else, has not made the record. */
  #isExpected(event: HistoryEvent): boolean {
    const isOfOutside = event.kind === "cancel_requested" || event.kind === "retried";
    return isOfOutside || this.#asked.get(event.operationId) === operationKindOf(event);
  }

  /** What came of a failure that was taken back is no more: the operation is begun anew, if it is asked for. */
  #forget(operationId: string): void {
    const left = callOff(this.#queue, operationId, this.#doubtful);
    const recorded = indexHistory(left).get(operationId);
    if (recorded) this.#recorded.set(operationId, recorded);
    else this.#recorded.delete(operationId);
  }

  /** Ends what is open (X5). */
  #cancel(reason: string | null): void {
    const error = new CancelledError(this.#options.instanceId, reason ?? undefined);
    this.#cancellation = error;
    this.#options.onCancel?.(error);
    this.#requested = this.#requested.filter(({ isShielded }) => isShielded);
    for (const [id, operation] of this.#open) {
      if (operation.isShielded) continue;
      this.#open.delete(id);
      operation.reject(error);
    }
  }

  #refuse(reject: (error: unknown) => void, error: CancelledError): void {
    if (++this.#refused > MOST_REFUSALS) this.#outcome ??= { type: "threw", error };
    else this.#refusals.push(() => reject(error));
    this.#schedule();
  }

  #deliver(event: Completion): boolean {
    const operation = this.#open.get(event.operationId);
    if (!operation) return false;
    this.#open.delete(event.operationId);
    this.#recorded.delete(event.operationId);
    settle(operation, event, (text) => this.#read(operation.id, text));
    return true;
  }

  /** What is stored of an operation; if it cannot be read, nothing, and the run ends before it can matter. */
  #read(id: string, text: string): unknown {
    try {
      return decode(text);
    } catch (cause) {
      const message = `The record of ${id} cannot be read: ${messageOf(cause)}`;
      this.#outcome = { type: "diverged", error: new StoreError(message, { cause }) };
      this.#schedule();
      return undefined;
    }
  }

  #diverge(event: HistoryEvent, asked: string): void {
    const position = this.#queue.findIndex((slot) => slot.seq === event.seq) + 1;
    this.#outcome = { type: "diverged", error: divergence(position, event, asked) };
    this.#schedule();
  }

  #describeState(): string {
    if (this.#outcome) return this.#outcome.type === "threw" ? "threw" : "returned";
    const open = [...this.#open.keys()];
    return open.length === 0 ? "asked for nothing more" : `asked for ${open.join(", ")}`;
  }

  /** Drops delivered slots once they are many, so that a long life costs no memory. */
  #compact(): void {
    if (this.#next < 1_024 || this.isReplaying || this.#outcome) return;
    this.#queue.splice(0, this.#next);
    this.#next = 0;
  }

  #hand(): void {
    const outcome = this.#outcomeTold ? undefined : this.#outcome;
    this.#outcomeTold ||= outcome !== undefined;
    const turn: Turn<Request> = { events: this.#fresh, requested: this.#requested, outcome };
    this.#fresh = [];
    this.#requested = [];
    this.#options.onTurn(turn);
  }
}
