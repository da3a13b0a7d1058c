/** One attempt of an activity: from its arguments to an outcome that can be recorded. */
import { encode } from "../core/codec.ts";
import { ActivityTimeoutError, SerializationError, ValidationError } from "../core/errors.ts";
import type { Store } from "../store/store.ts";
import type { ActivityContext } from "../workflow/activity-context.ts";
import type { AnyActivity } from "../workflow/activity-options.ts";
import type { Logger } from "../workflow/logger.ts";
import { validate, validateArguments } from "../workflow/schema.ts";
import { AttemptLimit } from "./attempt-limit.ts";
import { bindLogger } from "./log.ts";
import { runAsActivity } from "./scope.ts";
import { ActivitySession } from "./session.ts";

export interface AttemptOptions {
  readonly activity: AnyActivity;
  readonly args: readonly unknown[];
  readonly instanceId: string;
  readonly workflowName: string;
  readonly activityId: string;
  /** Counted from 1. */
  readonly number: number;
  /** Milliseconds, or `undefined` for no limit. */
  readonly timeout: number | undefined;
}

export interface AttemptEnvironment {
  readonly store: Store;
  readonly log: Logger;
  readonly maxValueBytes: number;
}

export type AttemptOutcome =
  /** `result` is encoded. With a session, its transaction is open, to be committed with the record. */
  | { readonly type: "returned"; readonly result: string; readonly session: ActivitySession | undefined }
  | { readonly type: "failed"; readonly error: unknown; readonly retryable: boolean }
  /** Nobody wants to know any more. */
  | { readonly type: "abandoned" };

export class Attempt {
  readonly #options: AttemptOptions;
  readonly #environment: AttemptEnvironment;
  readonly #limit = new AttemptLimit();

  constructor(options: AttemptOptions, environment: AttemptEnvironment) {
    this.#options = options;
    this.#environment = environment;
  }

  /** Nobody wants the outcome any more: the signal aborts, and what the body still does is discarded. */
  abandon(reason: Error): void {
    this.#limit.abort(reason);
  }

  /** Makes the attempt. Never rejects. */
  async run(): Promise<AttemptOutcome> {
    const { activity, activityId, timeout } = this.#options;
    const log = bindLogger(this.#environment.log, { instanceId: this.#options.instanceId, activityId });
    const refusal =
      activity.options.transactional === false ? `Activity ${activityId} is not transactional` : undefined;
    const session = new ActivitySession(this.#environment.store, log, refusal);
    if (timeout !== undefined) this.#limit.startTimer(timeout, () => new ActivityTimeoutError(activityId, timeout));
    const outcome = await Promise.race([
      this.#limit.whenAborted.then(abortedBy),
      runAsActivity(activityId, session, () => this.#runBody(this.#context(session, log))),
    ]);
    this.#limit.end();
    if (outcome.type === "returned" && session.hasBegun) return { ...outcome, session };
    await session.rollback(outcome.type === "returned" ? "The activity has ended" : "The attempt has failed");
    return outcome;
  }

  #context(session: ActivitySession, log: Logger): ActivityContext {
    const { instanceId, workflowName, activityId, number } = this.#options;
    const limit = this.#limit;
    return {
      instanceId,
      workflowName,
      activityId,
      attempt: number,
      idempotencyKey: `${instanceId}/${activityId}`,
      get signal() {
        return limit.signal;
      },
      log,
      session,
    };
  }

  async #runBody(context: ActivityContext): Promise<AttemptOutcome> {
    const { activity, activityId, args } = this.#options;
    const { input, output } = activity.options;
    let valid = args;
    try {
      if (input) valid = await validateArguments(input, args, `activity ${activityId}`);
    } catch (error) {
      return { type: "failed", error, retryable: !(error instanceof ValidationError) };
    }
    try {
      // So that `session.client`, used before the body's first await, finds no other transaction open.
      for (let busy = this.#busy(); busy; busy = this.#busy()) await busy;
      const returned: unknown = await activity.fn(context, ...(valid as never));
      const result = output ? await validate(output, returned, `The result of activity ${activityId}`) : returned;
      const text = encode(result, `The result of activity ${activityId}`, this.#environment.maxValueBytes);
      return { type: "returned", result: text, session: undefined };
    } catch (error) {
      // The same value would be refused again.
      return { type: "failed", error, retryable: !(error instanceof SerializationError) };
    }
  }

  #busy(): Promise<void> | undefined {
    return this.#options.activity.options.transactional === false ? undefined : this.#environment.store.idle();
  }
}

function abortedBy(reason: unknown): AttemptOutcome {
  return reason instanceof ActivityTimeoutError
    ? { type: "failed", error: reason, retryable: true }
    : { type: "abandoned" };
}
