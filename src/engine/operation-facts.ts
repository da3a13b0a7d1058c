/** What hooks are told of operations: made of what a run has recorded, with what is known of how they began. */
import { decodeEnding } from "../core/child.ts";
import { decode } from "../core/codec.ts";
import type { HistoryEvent, NewEvent, WaitFor } from "../core/history.ts";
import type { AnyActivity } from "../workflow/activity-options.ts";
import type { ActivityStart, InstanceFact } from "../workflow/hooks.ts";
import { waitTargetOf } from "../workflow/waits.ts";
import type { HookRunner } from "./hooks.ts";

/** What hooks see of activities whose arguments and results are for nobody else's eyes. */
export const REDACTED = "[redacted]";

/** What has begun and not ended. Times in epoch milliseconds. */
type Begun =
  | { readonly type: "attempt"; readonly start: ActivityStart; readonly isSensitive: boolean }
  | { readonly type: "wait"; readonly at: number; readonly waitFor: WaitFor }
  | { readonly type: "timer"; readonly at: number; readonly fireAt: number };

type EventOf<Kind extends NewEvent["kind"]> = Extract<NewEvent, { readonly kind: Kind }>;

type AttemptEvent = EventOf<
  "activity_completed" | "activity_failed" | "attempt_failed" | "compensation_completed" | "compensation_failed"
>;

export class OperationFacts {
  readonly #hooks: HookRunner;
  readonly #instance: InstanceFact;
  readonly #begun = new Map<string, Begun>();

  constructor(hooks: HookRunner, instance: InstanceFact) {
    this.#hooks = hooks;
    this.#instance = instance;
  }

  /** An attempt begins. */
  attemptStarted(start: ActivityStart, activity: AnyActivity): void {
    const isSensitive = activity.options.sensitive ?? false;
    this.#begun.set(start.activityId, { type: "attempt", start, isSensitive });
    this.#hooks.tell(start.isCompensation ? "onCompensationStart" : "onActivityStart", start);
  }

  /** Replayed code was given what is recorded of an activity; `undefined` when nobody knows which. */
  cacheHit(event: EventOf<"activity_completed" | "activity_failed">, activity: AnyActivity | undefined): void {
    const read = (text: string): unknown => (activity && !activity.options.sensitive ? decode(text) : REDACTED);
    this.#hooks.tell("onActivityCacheHit", {
      ...this.#instance,
      activityId: event.operationId,
      get cachedResult() {
        return event.kind === "activity_completed" ? read(event.result) : undefined;
      },
      get cachedError() {
        return event.kind === "activity_failed" ? read(event.error) : undefined;
      },
    });
  }

  /** Takes note of when a wait or a sleep began. */
  noteBegin(event: HistoryEvent | NewEvent): void {
    const { operationId, at } = event;
    if (event.kind === "wait_started") this.#begun.set(operationId, { type: "wait", at, waitFor: event.waitFor });
    if (event.kind === "timer_started") this.#begun.set(operationId, { type: "timer", at, fireAt: event.fireAt });
  }

  /** Tells of what is recorded, durably. */
  tell(event: HistoryEvent | NewEvent): void {
    this.noteBegin(event);
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
      case "rollback_started": {
        const error = event.error === null ? undefined : decode(event.error);
        this.#hooks.tell("onRollbackStart", { ...this.#instance, outcome: event.outcome, error });
        break;
      }
      default:
    }
  }

  #tellAttempt(event: AttemptEvent): void {
    const begun = this.#take(event.operationId);
    // One that was not made here has no beginning: a retry that came too late, say.
    if (begun?.type !== "attempt") return;
    const { start, isSensitive } = begun;
    const { activityId, activityName, attempt, startTime, isCompensation } = start;
    const duration = Math.max(event.at - startTime.getTime(), 0);
    const end = { ...this.#instance, activityId, activityName, attempt, duration };
    const read = (text: string): unknown => (isSensitive ? REDACTED : decode(text));
    if (event.kind === "activity_completed") {
      this.#hooks.tell("onActivityComplete", {
        ...end,
        get output() {
          return read(event.result);
        },
      });
    } else if (event.kind === "compensation_completed") {
      this.#hooks.tell("onCompensationComplete", { ...end, output: undefined });
    } else if (event.kind === "attempt_failed") {
      const { retryAt, at } = event;
      const retry = { ...end, error: read(event.error), retryAt: new Date(retryAt), nextDelay: retryAt - at };
      this.#hooks.tell(isCompensation ? "onCompensationRetry" : "onActivityRetry", retry);
    } else {
      const failed = { ...end, error: read(event.error) };
      this.#hooks.tell(isCompensation ? "onCompensationFailed" : "onActivityFailed", failed);
    }
  }

  #tellTimer(event: EventOf<"timer_started" | "timer_fired">): void {
    const { operationId: timerId, at } = event;
    const begun = this.#begun.get(timerId);
    if (begun?.type !== "timer") return;
    const timer = { ...this.#instance, timerId, startTime: new Date(begun.at), expiresAt: new Date(begun.fireAt) };
    if (event.kind === "timer_started") {
      this.#hooks.tell("onTimerStart", timer);
    } else {
      this.#begun.delete(timerId);
      this.#hooks.tell("onTimerFired", { ...timer, firedAt: new Date(at) });
    }
  }

  #tellWait(event: EventOf<"wait_started" | "message_received" | "child_ended" | "wait_timed_out">): void {
    const { operationId, at } = event;
    if (event.kind === "wait_started") {
      const deadline = event.deadline === null ? undefined : new Date(event.deadline);
      const waitFor = waitTargetOf(event.waitFor);
      this.#hooks.tell("onEventWaitStart", {
        ...this.#instance,
        operationId,
        waitFor,
        startTime: new Date(at),
        deadline,
      });
      return;
    }
    const begun = this.#take(operationId);
    // What was there when it was asked for was not waited for.
    const { at: began, waitFor } = begun?.type === "wait" ? begun : { at, waitFor: targetOf(event) };
    const base = { ...this.#instance, operationId, waitFor: waitTargetOf(waitFor), startTime: new Date(began) };
    const wait = { ...base, duration: Math.max(at - began, 0) };
    if (event.kind === "wait_timed_out") this.#hooks.tell("onEventTimeout", wait);
    else this.#hooks.tell("onEventWaitComplete", { ...wait, attributes: attributesOf(event) });
  }

  #take(operationId: string): Begun | undefined {
    const begun = this.#begun.get(operationId);
    this.#begun.delete(operationId);
    return begun;
  }
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
