/** What hooks are told of operations: made of what a run has recorded, with what is known of how they began. */
import { decodeEnding } from "../../core/child.ts";
import { decode } from "../../core/codec.ts";
import { ActivityError, CompensationError } from "../../core/errors.ts";
import { type HistoryEvent, isCompletion, type NewEvent, type WaitFor } from "../../core/history.ts";
import type { AnyActivity } from "../../workflow/activity-options.ts";
import type { InstanceFact } from "../../workflow/hooks.ts";
import { waitTargetOf } from "../../workflow/waits.ts";
import type { HookRunner } from "./hooks.ts";
import type { Outcome } from "./metrics.ts";

/** What hooks see of activities whose arguments and results are for nobody else's eyes. */
export const REDACTED = "[redacted]";

/** What has begun and not ended. Times in epoch milliseconds. */
type Begun =
  | Beginning
  | { readonly type: "wait"; readonly at: number; readonly waitFor: WaitFor }
  | { readonly type: "timer"; readonly at: number; readonly fireAt: number };

/** The beginning of an attempt. */
export interface Beginning {
  readonly type: "attempt";
  readonly name: string;
  /** Counted from 1. */
  readonly attempt: number;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly isSensitive: boolean;
  readonly isCompensation: boolean;
}

type EventOf<Kind extends NewEvent["kind"]> = Extract<NewEvent, { readonly kind: Kind }>;

type AttemptEvent = EventOf<
  "activity_completed" | "activity_failed" | "attempt_failed" | "compensation_completed" | "compensation_failed"
>;

const OUTCOME: Readonly<Record<AttemptEvent["kind"], Outcome>> = {
  activity_completed: "completed",
  activity_failed: "failed",
  attempt_failed: "retried",
  compensation_completed: "completed",
  compensation_failed: "failed",
};

export class OperationFacts {
  readonly #hooks: HookRunner;
  readonly #instance: InstanceFact;
  readonly #begun = new Map<string, Begun>();
  /** Ids of sensitive activities, and of what they are undone by. */
  #sensitive: Set<string> | undefined;

  constructor(hooks: HookRunner, instance: InstanceFact) {
    this.#hooks = hooks;
    this.#instance = instance;
  }

  /** What comes of it, or of what it undoes, is for nobody else's eyes. */
  markSensitive(activityId: string): void {
    this.#sensitive ??= new Set();
    this.#sensitive.add(activityId).add(undoneBy(activityId));
  }

  /** An attempt begins. */
  attemptBegan(activityId: string, beginning: Beginning): void {
    if (beginning.isSensitive) this.markSensitive(activityId);
    this.#begun.set(activityId, beginning);
  }

  /** Replayed code was given what is recorded of an activity; `undefined` when nobody knows which. */
  cacheHit(event: EventOf<"activity_completed" | "activity_failed">, activity: AnyActivity | undefined): void {
    const read = (text: string): unknown => (activity && !activity.options.sensitive ? decode(text) : REDACTED);
    this.#hooks.figures?.cacheHit(this.#instance.workflowName);
    this.#hooks.tell("onActivityCacheHit", () => ({
      ...this.#instance,
      activityId: event.operationId,
      get cachedResult() {
        return event.kind === "activity_completed" ? read(event.result) : undefined;
      },
      get cachedError() {
        return event.kind === "activity_failed" ? read(event.error) : undefined;
      },
    }));
  }

  /** Replayed code has come to it: takes note of waits and sleeps that have begun, and not ended. */
  cameTo(event: HistoryEvent): void {
    this.#noteBegin(event);
    if (isCompletion(event)) this.#begun.delete(event.operationId);
  }

  /** What hooks see of an error with which the instance ends: nothing of one that came of a sensitive activity. */
  hide(error: unknown): unknown {
    if (error instanceof ActivityError && this.#sensitive?.has(error.activityId)) {
      return new ActivityError(error.activity, error.activityId, error.attempts, REDACTED);
    }
    if (error instanceof CompensationError && this.#sensitive?.has(error.operationId)) {
      return new CompensationError(error.compensation, error.operationId, error.attempts, REDACTED);
    }
    return error;
  }

  #noteBegin(event: HistoryEvent | NewEvent): void {
    const { operationId, at } = event;
    if (event.kind === "wait_started") this.#begun.set(operationId, { type: "wait", at, waitFor: event.waitFor });
    if (event.kind === "timer_started") this.#begun.set(operationId, { type: "timer", at, fireAt: event.fireAt });
  }

  /** Tells of what is recorded, durably. */
  tell(event: HistoryEvent | NewEvent): void {
    this.#noteBegin(event);
    switch (event.kind) {
      case "activity_completed":
      case "activity_failed":
      case "attempt_failed":
      case "compensation_completed":
      case "compensation_failed":
        this.#tellAttempt(event);
        break;
      case "timer_started":
      case "timer_fired":
        this.#tellTimer(event);
        break;
      case "wait_started":
      case "message_received":
      case "child_ended":
      case "wait_timed_out":
        this.#tellWait(event);
        break;
      case "rollback_started":
        this.#tellRollback(event);
        break;
      default:
    }
  }

  #tellRollback({ outcome, error }: EventOf<"rollback_started">): void {
    const hide = (thrown: unknown): unknown => this.hide(thrown);
    this.#hooks.tell("onRollbackStart", () => ({
      ...this.#instance,
      outcome,
      get error() {
        return error === null ? undefined : hide(decode(error));
      },
    }));
  }

  #tellAttempt(event: AttemptEvent): void {
    const begun = this.#take(event.operationId);
    // One that was not made here has no beginning: a retry that came too late, say.
    if (begun?.type !== "attempt") return;
    const { name: activityName, attempt, isSensitive, isCompensation } = begun;
    const duration = Math.max(event.at - begun.at, 0);
    this.#count(event.kind, begun, duration);
    if (!this.#hooks.areHeard) return;
    const end = () => ({ ...this.#instance, activityId: event.operationId, activityName, attempt, duration });
    const read = (text: string): unknown => (isSensitive ? REDACTED : decode(text));
    if (event.kind === "activity_completed") {
      this.#hooks.tell("onActivityComplete", () => ({
        ...end(),
        get output() {
          return read(event.result);
        },
      }));
    } else if (event.kind === "compensation_completed") {
      this.#hooks.tell("onCompensationComplete", () => ({ ...end(), output: undefined }));
    } else if (event.kind === "attempt_failed") {
      const { retryAt, at } = event;
      this.#hooks.tell(isCompensation ? "onCompensationRetry" : "onActivityRetry", () => ({
        ...end(),
        get error() {
          return read(event.error);
        },
        retryAt: new Date(retryAt),
        nextDelay: retryAt - at,
      }));
    } else {
      this.#hooks.tell(isCompensation ? "onCompensationFailed" : "onActivityFailed", () => ({
        ...end(),
        get error() {
          return read(event.error);
        },
      }));
    }
  }

  #count(kind: AttemptEvent["kind"], { name, isCompensation }: Beginning, duration: number): void {
    const { figures } = this.#hooks;
    const outcome = OUTCOME[kind];
    if (isCompensation) figures?.compensationEnded(name, outcome);
    else figures?.attemptEnded(name, outcome, duration);
  }

  #tellTimer(event: EventOf<"timer_started" | "timer_fired">): void {
    const { operationId: timerId, at } = event;
    const begun = this.#begun.get(timerId);
    if (begun?.type !== "timer") return;
    const timer = { ...this.#instance, timerId, startTime: new Date(begun.at), expiresAt: new Date(begun.fireAt) };
    if (event.kind === "timer_started") {
      this.#hooks.tell("onTimerStart", () => timer);
    } else {
      this.#begun.delete(timerId);
      this.#hooks.tell("onTimerFired", () => ({ ...timer, firedAt: new Date(at) }));
    }
  }

  #tellWait(event: EventOf<"wait_started" | "message_received" | "child_ended" | "wait_timed_out">): void {
    const { operationId, at } = event;
    if (event.kind === "wait_started") {
      const deadline = event.deadline === null ? undefined : new Date(event.deadline);
      const waitFor = waitTargetOf(event.waitFor);
      this.#hooks.tell("onEventWaitStart", () => ({
        ...this.#instance,
        operationId,
        waitFor,
        startTime: new Date(at),
        deadline,
      }));
      return;
    }
    const begun = this.#take(operationId);
    // What was there when it was asked for was not waited for.
    const { at: began, waitFor } = begun?.type === "wait" ? begun : { at, waitFor: targetOf(event) };
    const base = { ...this.#instance, operationId, waitFor: waitTargetOf(waitFor), startTime: new Date(began) };
    const wait = { ...base, duration: Math.max(at - began, 0) };
    if (event.kind === "wait_timed_out") this.#hooks.tell("onEventTimeout", () => wait);
    else this.#hooks.tell("onEventWaitComplete", () => ({ ...wait, attributes: attributesOf(event) }));
  }

  #take(operationId: string): Begun | undefined {
    const begun = this.#begun.get(operationId);
    this.#begun.delete(operationId);
    return begun;
  }
}

/** The operation that a compensation undoes; the same for any other. */
function undoneBy(activityId: string): string {
  return activityId.replace(/\/compensation:\d+$/, "");
}

function targetOf(event: EventOf<"message_received" | "child_ended" | "wait_timed_out">): WaitFor {
  if (event.kind === "wait_timed_out") return event.waitFor;
  if (event.kind === "child_ended") {
    return { kind: "child", childId: event.childId, workflow: event.workflow, turn: 0 };
  }
  // Only messages of competing channels are taken without a wait.
  return { kind: "channel", channel: event.attributes["channel"] as string, mode: "competing" };
}

function attributesOf(event: EventOf<"message_received" | "child_ended">): Readonly<Record<string, unknown>> {
  if (event.kind === "message_received") return event.attributes;
  const { childId, workflow, ending } = event;
  return { childId, workflow, status: decodeEnding(ending).status };
}
