/** One attempt of an activity: from its arguments to an outcome that can be recorded. */
import type { ChannelMessage, Post } from "../core/action.ts";
import { encode } from "../core/codec.ts";
import {
  ActivityTimeoutError,
  MisplacedCallError,
  readable,
  SerializationError,
  ValidationError,
} from "../core/errors.ts";
import { withTrace } from "../core/trace-context.ts";
import type { Store } from "../store/store.ts";
import { checkName } from "../workflow/activity.ts";
import type { AnyActivity } from "../workflow/activity-options.ts";
import type { PublishOptions, SentMessage } from "../workflow/channels.ts";
import type { CompensationContext } from "../workflow/compensation-options.ts";
import type { OutgoingEventInput } from "../workflow/events.ts";
import type { Logger } from "../workflow/logger.ts";
import type { SentEvent } from "../workflow/outbox.ts";
import { validate, validateArguments } from "../workflow/schema.ts";
import type { Clock } from "./clock.ts";
import { bindLogger } from "./log.ts";
import { channelMessage } from "./messages.ts";
import { outgoingEvent } from "./outbox/outgoing.ts";
import { runAsActivity } from "./scope.ts";
import type { Seams } from "./seams.ts";
import { ActivitySession } from "./session.ts";
import type { HookRunner } from "./watching/hooks.ts";

export interface AttemptOptions {
  readonly activity: AnyActivity;
  readonly args: readonly unknown[];
  readonly instanceId: string;
  readonly workflowName: string;
  readonly activityId: string;
  /** Counted from 1. */
  readonly attempt: number;
  /** Milliseconds, or `undefined` for no limit. */
  readonly timeout: number | undefined;
  /** Whether its arguments, its result and its errors are for nobody else's eyes. */
  readonly isSensitive: boolean;
  /** For a compensation: what came of what it undoes. */
  readonly undone: unknown;
}

export interface AttemptEnvironment {
  /** For the contexts of workflows, which are given this environment too. */
  readonly app: object;
  readonly store: Store;
  readonly log: Logger;
  readonly maxValueBytes: number;
  readonly clock: Clock;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly seams: Seams;
  readonly hooks: HookRunner | undefined;
}

export type AttemptOutcome =
  /** `result` is encoded. With a session, its transaction is open, to be committed with the record. */
  | {
      readonly type: "returned";
      readonly result: string;
      readonly session: ActivitySession | undefined;
      /** What it has sent, to go out with the record. */
      readonly posts: readonly Post[];
    }
  | { readonly type: "failed"; readonly error: unknown; readonly retryable: boolean }
  /** Nobody wants to know any more. */
  | { readonly type: "abandoned" };

const NOTHING: readonly Post[] = [];

/** What only some activities use (session, signal, logger) is made at first use: most of an attempt's cost would be these. */
export class Attempt implements CompensationContext {
  readonly #options: AttemptOptions;
  readonly #environment: AttemptEnvironment;
  #conclude: (outcome: AttemptOutcome) => void = () => {};
  #callOff: (() => void) | undefined;
  #controller: AbortController | undefined;
  #session: ActivitySession | undefined;
  #posts: Post[] | undefined;
  /** Calls of `sendEvent`. */
  #sent = 0;
  #log: Logger | undefined;
  #abortReason: Error | undefined;
  /** Whether it is decided what it comes to. */
  #isOver = false;

  constructor(options: AttemptOptions, environment: AttemptEnvironment) {
    this.#options = options;
    this.#environment = environment;
  }

  get instanceId(): string {
    return this.#options.instanceId;
  }

  get workflowName(): string {
    return this.#options.workflowName;
  }

  get activityId(): string {
    return this.#options.activityId;
  }

  get attempt(): number {
    return this.#options.attempt;
  }

  get result(): unknown {
    return this.#options.undone;
  }

  get idempotencyKey(): string {
    return `${this.instanceId}/${this.activityId}`;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#abortReason) this.#controller.abort(this.#abortReason);
    return this.#controller.signal;
  }

  get log(): Logger {
    const { instanceId, workflowName: workflow, activityId, attempt } = this;
    this.#log ??= bindLogger(this.#environment.log, { instanceId, workflow, activityId, attempt });
    return this.#log;
  }

  get session(): ActivitySession {
    this.#session ??= new ActivitySession(this.#environment.store, this.log, this.#refusal());
    return this.#session;
  }

  async publish(channel: string, data: unknown, options: PublishOptions = {}): Promise<SentMessage> {
    return this.#post({ type: "publish", message: this.#message(channel, data, options) });
  }

  async sendTo(instanceId: string, channel: string, data: unknown, options: PublishOptions = {}): Promise<SentMessage> {
    checkName("instance", instanceId);
    return this.#post({ type: "send", instanceId, message: this.#message(channel, data, options) });
  }

  async sendEvent(event: OutgoingEventInput): Promise<SentEvent> {
    const { clock, maxValueBytes, hooks } = this.#environment;
    const { workflowName } = this;
    // The same in each attempt: of those that fail nothing goes out.
    const eventId = `${this.idempotencyKey}/${++this.#sent}`;
    const outgoing = outgoingEvent(event, { workflowName, eventId, at: clock.now(), maxValueBytes });
    const carried = hooks?.capture({ kind: "event", eventType: event.type, traceContext: undefined });
    return this.#post({ type: "emit", event: withTrace(outgoing, carried) });
  }

  /** The session, if its transaction has begun. */
  get openSession(): ActivitySession | undefined {
    return this.#session?.hasBegun ? this.#session : undefined;
  }

  /** The body is asked to stop: the signal aborts. Its outcome counts all the same. */
  interrupt(reason: Error): void {
    if (this.#isOver || this.#abortReason) return;
    this.#abortReason = reason;
    this.#controller?.abort(reason);
  }

  /** Nobody wants the outcome any more: the signal aborts, and what the body still does is discarded. */
  abandon(reason: Error): void {
    this.#abort(reason, { type: "abandoned" });
  }

  /** Makes the attempt; once. Never rejects. */
  run(): Promise<AttemptOutcome> {
    if (this.#isOver) return Promise.resolve({ type: "abandoned" });
    return new Promise((resolve) => {
      this.#conclude = resolve;
      this.#callOff = this.#limitTime();
      void runAsActivity(this, () => this.#runBody());
    });
  }

  /** The first outcome counts. */
  async #end(outcome: AttemptOutcome): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#callOff?.();
    const session = this.#session;
    if (outcome.type === "returned" && session?.hasBegun) return this.#conclude({ ...outcome, session });
    if (session)
      await session.rollback(outcome.type === "returned" ? "The activity has ended" : "The attempt has failed");
    this.#conclude(outcome);
  }

  #message(channel: string, data: unknown, options: PublishOptions): ChannelMessage {
    return channelMessage(channel, data, options, this.#environment, this.instanceId);
  }

  #post(post: Post): SentMessage {
    if (this.#isOver) throw new MisplacedCallError(`Activity ${this.activityId} has ended: it sends nothing any more.`);
    this.#posts ??= [];
    this.#posts.push(post);
    return { id: (post.type === "emit" ? post.event : post.message).attributes["id"] as string };
  }

  #refusal(): string | undefined {
    if (this.#isOver) return "The activity has ended";
    return this.#isTransactional ? undefined : `Activity ${this.activityId} is not transactional`;
  }

  get #isTransactional(): boolean {
    return this.#options.activity.options.transactional !== false;
  }

  #limitTime(): (() => void) | undefined {
    const { activityId, timeout } = this.#options;
    if (timeout === undefined) return undefined;
    return this.#environment.clock.after(timeout, () => {
      const error = new ActivityTimeoutError(activityId, timeout);
      this.#abort(error, { type: "failed", error, retryable: true });
    });
  }

  #abort(reason: Error, outcome: AttemptOutcome): void {
    if (this.#isOver) return;
    this.interrupt(reason);
    void this.#end(outcome);
  }

  async #runBody(): Promise<void> {
    const { activity, activityId, args } = this.#options;
    const { input, output } = activity.options;
    let valid = args;
    try {
      if (input) valid = await validateArguments(input, args, `activity ${activityId}`);
    } catch (thrown) {
      const error = readable(thrown);
      return this.#end({ type: "failed", error, retryable: !(error instanceof ValidationError) });
    }
    try {
      // So that `session.client`, used before the body's first await, finds no other transaction open.
      for (let busy = this.#busy(); busy; busy = this.#busy()) await busy;
      const returned: unknown = await this.#environment.seams.activity(activity, this, valid);
      const result = output ? await validate(output, returned, `The result of activity ${activityId}`) : returned;
      const text = encode(result, `The result of activity ${activityId}`, this.#environment.maxValueBytes);
      return this.#end({ type: "returned", result: text, session: undefined, posts: this.#posts ?? NOTHING });
    } catch (thrown) {
      const error = readable(thrown);
      // The same value would be refused again, and the call be as misplaced.
      const isMistake = error instanceof SerializationError || error instanceof MisplacedCallError;
      return this.#end({ type: "failed", error, retryable: !isMistake });
    }
  }

  #busy(): Promise<void> | undefined {
    return this.#isTransactional ? this.#environment.store.idle() : undefined;
  }
}
