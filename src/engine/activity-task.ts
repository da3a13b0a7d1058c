/** One activity of a run, from being asked for to its record: its attempts and the waits between them. */

import type { Post } from "../core/action.ts";
import { encodeThrown } from "../core/codec.ts";
import type { Advance, ChangeResult } from "../core/commit.ts";
import { toMilliseconds } from "../core/duration.ts";
import { InstanceFinishedError, InstanceNotFoundError } from "../core/errors.ts";
import type { NewEvent, RecordedOperation } from "../core/history.ts";
import { nextAttemptAt, type ResolvedRetryPolicy, type RetryPolicy, resolveRetryPolicy } from "../core/retry.ts";
import type { Reservation } from "../core/slot.ts";
import type { AnyWorkflow } from "../workflow/workflow.ts";
import { Attempt, type AttemptEnvironment, type AttemptOptions, type AttemptOutcome } from "./activity.ts";
import type { Clock } from "./clock.ts";
import type { Journal } from "./journal.ts";
import type { ActivityRequest } from "./requests.ts";
import type { ActivitySession } from "./session.ts";
import type { Slots } from "./slots.ts";
import type { HookRunner } from "./watching/hooks.ts";
import type { RunFacts } from "./watching/run-facts.ts";

/** What a task needs from its worker. */
export interface TaskHost {
  readonly clock: Clock;
  readonly slots: Slots;
  readonly journal: Journal;
  readonly environment: AttemptEnvironment;
  readonly hooks: HookRunner | undefined;
  readonly defaultRetryPolicy: RetryPolicy | false | undefined;
  /**
   * Something was sent, durably.
   *
   * @param receivers how many instances have it, or were called for it
   * @param unheard the channels with messages that nobody was called for
   */
  onSent(receivers: number, unheard: readonly string[]): void;
}

/** What a task needs from its run. */
export interface TaskOwner {
  readonly id: string;
  readonly workflow: AnyWorkflow;
  readonly epoch: number;
  /** Tells hooks; absent where there are none. */
  readonly facts: RunFacts | undefined;
  record(event: NewEvent): void;
  reserve(): Reservation;
  /** Another worker owns the instance. */
  onFenced(): void;
}

/** A wait between attempts that is longer, in milliseconds, is a durable timer instead of a held worker. */
const SHORT_WAIT = 5_000;

/** What is not undone stays done: worth more attempts than what can fail the workflow. */
const COMPENSATION_RETRY: RetryPolicy = { maxAttempts: 10, initialInterval: 100, maxInterval: 60_000 };

type State =
  /** The next attempt may start, once the barrier lets it. */
  | "ready"
  /** Handed to the slots, waiting or running. */
  | "started"
  /** Waiting for `retryAt`. */
  | "backing off"
  | "over";

export class ActivityTask {
  readonly #owner: TaskOwner;
  readonly #host: TaskHost;
  readonly #id: string;
  readonly #request: ActivityRequest;
  #state: State = "ready";
  #number = 1;
  #startedAt: number | undefined;
  #retryAt: number | undefined;
  #attempt: Attempt | undefined;
  /** Whether no further attempt is to be made. */
  #isStopped = false;

  constructor(
    owner: TaskOwner,
    id: string,
    request: ActivityRequest,
    recorded: RecordedOperation | undefined,
    host: TaskHost,
  ) {
    this.#owner = owner;
    this.#host = host;
    this.#id = id;
    this.#request = request;
    const last = recorded?.events.at(-1);
    if (last?.kind !== "attempt_failed") return;
    this.#state = "backing off";
    this.#number = last.attempt + 1;
    this.#startedAt = last.startedAt;
    this.#retryAt = last.retryAt;
  }

  /** When the next attempt is due, in epoch milliseconds; only while it waits for that. */
  get retryAt(): number | undefined {
    return this.#state === "backing off" ? this.#retryAt : undefined;
  }

  /** The same, if the wait is long enough for the instance to be set aside. */
  get longRetryAt(): number | undefined {
    const { retryAt } = this;
    return retryAt !== undefined && retryAt - this.#host.clock.now() > SHORT_WAIT ? retryAt : undefined;
  }

  /** The wait is over. */
  wake(): void {
    if (this.#state === "backing off") this.#state = "ready";
  }

  /** Makes the next attempt if it may. The barrier is the caller's: all that was recorded is durable. */
  start(): void {
    if (this.#state !== "ready") return;
    this.#state = "started";
    this.#host.slots.run(() => this.#run());
  }

  /**
   * No further attempt is made. One that runs, and may come to something that is to be undone, is asked to stop and
   * waited for: then it is true. Any other is abandoned.
   */
  stop(reason: Error): boolean {
    this.#isStopped = true;
    const isRunning = this.#state === "started" && this.#attempt !== undefined;
    if (isRunning && this.#request.activity.options.compensation !== undefined) this.#attempt?.interrupt(reason);
    else this.abandon(reason);
    return this.#state !== "over";
  }

  /** Nobody wants its outcome any more. */
  abandon(reason: Error): void {
    this.#state = "over";
    this.#attempt?.abandon(reason);
  }

  async #run(): Promise<void> {
    if (this.#isOver()) return;
    const { activity, call, args, undoes } = this.#request;
    const timeout = call.timeout ?? activity.options.timeout;
    this.#startedAt ??= this.#host.clock.now();
    const options: AttemptOptions = {
      activity,
      args,
      instanceId: this.#owner.id,
      workflowName: this.#owner.workflow.name,
      activityId: this.#id,
      attempt: this.#number,
      timeout: timeout === undefined ? undefined : toMilliseconds(timeout, "The timeout of an activity"),
      isSensitive: activity.options.sensitive ?? undoes?.isSensitive ?? false,
      undone: undoes?.result,
    };
    const attempt = new Attempt(options, this.#host.environment);
    this.#attempt = attempt;
    const { facts } = this.#owner;
    const isCompensation = undoes !== undefined;
    const outcome = await (facts ? facts.attempt(options, isCompensation, () => attempt.run()) : attempt.run());
    if (this.#isOver()) await this.#discard(outcome);
    else if (outcome.type === "failed") this.#fail(outcome.error, outcome.retryable);
    else if (outcome.type === "returned") await this.#complete(outcome);
  }

  /** A method, so that the compiler does not believe that the state is still what it was before an await. */
  #isOver(): boolean {
    return this.#state === "over";
  }

  async #discard(outcome: AttemptOutcome): Promise<void> {
    if (outcome.type === "returned") await outcome.session?.rollback("The instance is not run here any more");
  }

  /** Resolves when a commit of its own, if it needs one, is over. */
  #complete({ result, session, posts }: Extract<AttemptOutcome, { type: "returned" }>): Promise<void> | undefined {
    const base = { operationId: this.#id, at: this.#host.clock.now() };
    const event: NewEvent = this.#request.undoes
      ? { ...base, kind: "compensation_completed", compensation: this.#request.activity.name }
      : { ...base, kind: "activity_completed", result };
    if (session || posts.length > 0) return this.#commitAlone(event, posts, session);
    this.#state = "over";
    this.#owner.record(event);
    return undefined;
  }

  /** The user's rows, what was sent, and the record of the activity, in one commit. */
  async #commitAlone(event: NewEvent, posts: readonly Post[], session: ActivitySession | undefined): Promise<void> {
    const place = this.#owner.reserve();
    const change: Advance = {
      type: "advance",
      instanceId: this.#owner.id,
      epoch: this.#owner.epoch,
      events: [{ ...event, seq: place.seq }],
      patch: undefined,
      posts,
    };
    let result: ChangeResult | undefined;
    try {
      const { seams } = this.#host.environment;
      result = await (session
        ? seams.commit([change], () => session.commitWith(change))
        : this.#host.journal.submit(() => change, this.#owner.id));
      if (result?.type === "refused") throw result.error;
    } catch (error) {
      place.cancel();
      await session?.rollback("The attempt has failed");
      // Whoever does not take messages any more will not take them later.
      const isGone = error instanceof InstanceNotFoundError || error instanceof InstanceFinishedError;
      if (!this.#isOver()) this.#fail(error, !isGone);
      return;
    }
    if (result?.type !== "applied") {
      place.cancel();
      if (result) this.#owner.onFenced();
      return;
    }
    this.#state = "over";
    place.fulfil(event);
    this.#owner.facts?.applied(change, []);
    this.#host.onSent(result.receivers ?? 0, result.unheard ?? []);
    if (session && posts.some(({ type }) => type === "emit")) this.#host.journal.onOutgoing();
    await session?.runAfterCommit();
  }

  #fail(error: unknown, retryable: boolean): void {
    const now = this.#host.clock.now();
    const startedAt = this.#startedAt ?? now;
    const facts = { attempt: this.#number, startedAt, now, random: this.#host.clock.random() };
    const mayRetry = retryable && !this.#isStopped;
    const retryAt = mayRetry ? nextAttemptAt(this.#retryPolicy(), error, facts) : undefined;
    const base = { operationId: this.#id, at: now, error: encodeThrown(error) };
    if (retryAt === undefined) {
      this.#state = "over";
      const { activity, undoes } = this.#request;
      const failed = { ...base, attempts: this.#number };
      if (undoes) this.#owner.record({ ...failed, kind: "compensation_failed", compensation: activity.name });
      else this.#owner.record({ ...failed, kind: "activity_failed", activity: activity.name });
      return;
    }
    this.#state = "backing off";
    this.#attempt = undefined;
    this.#retryAt = retryAt;
    this.#owner.record({ ...base, kind: "attempt_failed", attempt: this.#number, startedAt, retryAt });
    this.#number++;
  }

  #retryPolicy(): ResolvedRetryPolicy {
    const { activity, call, undoes } = this.#request;
    const { retry } = activity.options;
    if (undoes) return resolveRetryPolicy([retry, COMPENSATION_RETRY]);
    return resolveRetryPolicy([call.retry, retry, this.#owner.workflow.options.retry, this.#host.defaultRetryPolicy]);
  }
}
