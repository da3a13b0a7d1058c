/** How activities, compensations and instances come to an end other than a good one. */
import { messageOf, RomancyError } from "./romancy-error.ts";

/** An activity failed for good: its retries are used up, or its error is one that is never retried. */
export class ActivityError extends RomancyError {
  /** The activity's name. */
  readonly activity: string;
  /** `name:n`, or the id given by `.with({ id })`. */
  readonly activityId: string;
  /** How many attempts were made, all of them failed; crashes do not reset it. */
  readonly attempts: number;

  constructor(activity: string, activityId: string, attempts: number, cause: unknown) {
    super(
      "ACTIVITY_FAILED",
      `Activity ${activityId} failed after ${attempts} ${attempts === 1 ? "attempt" : "attempts"}: ${messageOf(cause)}`,
      { cause },
    );
    this.activity = activity;
    this.activityId = activityId;
    this.attempts = attempts;
  }
}

/**
 * Throw it from an activity to say that trying again cannot help.
 *
 * @example
 * throw new TerminalError("card was reported stolen");
 */
export class TerminalError extends RomancyError {
  constructor(message: string, options?: ErrorOptions) {
    super("TERMINAL", message, options);
  }
}

/**
 * Throw it from an activity that was told when it may try again, such as by the header `Retry-After`: the next attempt
 * waits at least so long, also when the policy's waits are shorter. How often is left to the policy.
 *
 * @example
 * if (response.status === 429) throw new RetryLaterError("The mail service is busy.", 30_000);
 */
export class RetryLaterError extends RomancyError {
  /** In milliseconds, from the failure on. */
  readonly retryAfter: number;

  /** @param retryAfter in milliseconds */
  constructor(message: string, retryAfter: number, options?: ErrorOptions) {
    super("RETRY_LATER", message, options);
    this.retryAfter = retryAfter;
  }
}

/** One attempt of an activity ran longer than its `timeout`; it counts as a failed attempt and is retried. */
export class ActivityTimeoutError extends RomancyError {
  /** The limit, in milliseconds. */
  readonly timeout: number;

  constructor(activityId: string, timeout: number) {
    super(
      "ACTIVITY_TIMEOUT",
      `Activity ${activityId} did not finish within ${timeout} ms. Its signal was aborted and a late result is discarded; ` +
        "give it a longer `timeout`, or let it stop when `ctx.signal` aborts.",
    );
    this.timeout = timeout;
  }
}

/**
 * Thrown by `handle.result()` when the workflow ended `failed`, and `cause` is what it threw, or `cancelled`, and `cause`
 * is a `CancelledError`.
 */
export class WorkflowFailedError extends RomancyError {
  readonly workflow: string;
  readonly instanceId: string;
  /** Compensations that failed for good, in the order in which they ran; see `app.retryCompensations`. */
  readonly compensationErrors: readonly CompensationError[];

  constructor(
    workflow: string,
    instanceId: string,
    cause: unknown,
    compensationErrors: readonly CompensationError[] = [],
  ) {
    const failures = compensationErrors.length;
    const also =
      failures === 0 ? "" : ` (and ${failures === 1 ? "a compensation" : `${failures} compensations`} failed)`;
    super("WORKFLOW_FAILED", `Workflow ${workflow} (instance ${instanceId}) failed${also}: ${messageOf(cause)}`, {
      cause,
    });
    this.workflow = workflow;
    this.instanceId = instanceId;
    this.compensationErrors = compensationErrors;
  }
}

/**
 * The instance is being cancelled: what workflow code was waiting for will not come, and it can begin nothing more but
 * inside `ctx.cleanup`. Let it through, or clean up and throw it on.
 */
export class CancelledError extends RomancyError {
  readonly instanceId: string;
  /** What was given to `cancel`. */
  readonly reason: string | undefined;

  constructor(instanceId: string, reason: string | undefined) {
    super("CANCELLED", `Instance ${instanceId} was cancelled${reason === undefined ? "" : `: ${reason}`}.`);
    this.instanceId = instanceId;
    this.reason = reason;
  }
}

/** An instance cannot be cancelled any more: it has ended, or has failed and is being compensated. Nothing was changed. */
export class InstanceNotCancellableError extends RomancyError {
  readonly instanceId: string;
  readonly status: string;

  constructor(instanceId: string, status: string) {
    super("INSTANCE_NOT_CANCELLABLE", `Instance ${instanceId} is ${status} and cannot be cancelled any more.`);
    this.instanceId = instanceId;
    this.status = status;
  }
}

/** A compensation failed for good; the other ones ran all the same. `app.retryCompensations` tries it again. */
export class CompensationError extends RomancyError {
  /** The compensation's name. */
  readonly compensation: string;
  /** What was to be undone: the activity's id, or the one that `ctx.addCompensation` gave. */
  readonly operationId: string;
  readonly attempts: number;

  constructor(compensation: string, operationId: string, attempts: number, cause: unknown) {
    super(
      "COMPENSATION_FAILED",
      `Compensation ${compensation} of ${operationId} failed after ${attempts} ${attempts === 1 ? "attempt" : "attempts"}: ` +
        messageOf(cause),
      { cause },
    );
    this.compensation = compensation;
    this.operationId = operationId;
    this.attempts = attempts;
  }
}

/** `app.retryCompensations` was called for an instance that has none to try again. Nothing was changed. */
export class NothingToCompensateError extends RomancyError {
  readonly instanceId: string;

  constructor(instanceId: string, status: string) {
    super(
      "NOTHING_TO_COMPENSATE",
      `Instance ${instanceId} is ${status} and has no compensation that failed. Nothing was changed.`,
    );
    this.instanceId = instanceId;
  }
}

/** Workers have died again and again while they ran the instance; it is `blocked`, so that others can go on. */
export class QuarantineError extends RomancyError {
  constructor(recoveries: number) {
    super(
      "QUARANTINED",
      `${recoveries} workers in a row have died while they ran this instance, and it got no further. It is run no more. ` +
        "Find out what ends the process (memory, a native crash, an exit), put it right, and retry the instance.",
    );
  }
}

const SAME_CALLS =
  "Deploy code that makes the same calls in the same order as before " +
  "(no clock, randomness or I/O outside activities), and the instance goes on.";

/** The code asked for something else than its history records; the instance is `blocked` until the code is put right. */
export class NonDeterminismError extends RomancyError {
  /** Position in the history, counted from 1. */
  readonly position: number;
  /** What the history records there. */
  readonly recorded: string;
  /** What the code asked for instead. */
  readonly asked: string;

  /** @param advice what to do */
  constructor(position: number, recorded: string, asked: string, advice: string = SAME_CALLS) {
    super(
      "NON_DETERMINISM",
      `The workflow no longer follows its history: at position ${position} the history records ${recorded}, but the code ${asked}. ` +
        `Nothing was executed. ${advice}`,
    );
    this.position = position;
    this.recorded = recorded;
    this.asked = asked;
  }
}
