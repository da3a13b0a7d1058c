/** What hooks are told of one run. What it has committed is told once that is durable, and once only. */
import type { ActionRequest } from "../../core/action.ts";
import { decode, encode } from "../../core/codec.ts";
import type { Advance } from "../../core/commit.ts";
import { describe } from "../../core/errors.ts";
import type { HistoryEvent, NewEvent } from "../../core/history.ts";
import { contextOf, type TraceContext, withTrace } from "../../core/trace-context.ts";
import type { Claim } from "../../store/store.ts";
import type { AnyActivity } from "../../workflow/activity-options.ts";
import type { ActivityStart, InstanceFact, RunEnd } from "../../workflow/hooks.ts";
import type { AttemptOptions, AttemptOutcome } from "../activity.ts";
import type { Clock } from "../clock.ts";
import type { Failure, HookRunner } from "./hooks.ts";
import { tellEnd, tellStart } from "./instance-facts.ts";
import { OperationFacts, REDACTED } from "./operation-facts.ts";

export class RunFacts {
  readonly #hooks: HookRunner;
  readonly #clock: Clock;
  readonly #instance: InstanceFact;
  readonly #operations: OperationFacts;
  readonly #createdAt: number;
  readonly #historyEvents: number;
  /** The last `seq` that is replayed; 0 for none. */
  readonly #replayedTo: number;
  #replayBegan = 0;
  #cacheHits = 0;
  #isRunning = false;
  #knowsOfCancel = false;

  /** @param history what is recorded of its code */
  constructor(hooks: HookRunner, clock: Clock, claim: Claim, history: readonly HistoryEvent[]) {
    this.#hooks = hooks;
    this.#clock = clock;
    const traceContext = contextOf(claim.traceContext);
    this.#instance = { instanceId: claim.id, workflowName: claim.workflow, traceContext };
    this.#operations = new OperationFacts(hooks, this.#instance);
    this.#createdAt = claim.createdAt;
    this.#historyEvents = history.length;
    this.#replayedTo = history.at(-1)?.seq ?? 0;
  }

  /**
   * It is run here from now on.
   *
   * @param inboxDepth messages that wait for it
   * @param isFirst whether nobody has run it before
   */
  runStarted(inboxDepth: number, isFirst: boolean): void {
    // It may be claimed again before the commit with which it was set aside is known to be durable.
    this.runEnded("waiting");
    this.#isRunning = true;
    const queueDelay = isFirst ? Math.max(this.#clock.now() - this.#createdAt, 0) : undefined;
    this.#hooks.figures?.runStarted(this.#instance.workflowName, queueDelay, inboxDepth);
    this.#hooks.tell("onRunStart", () => ({ ...this.#instance, queueDelay, inboxDepth }));
  }

  /** It is run here no more. Only the first call after `runStarted` counts. */
  runEnded(reason: RunEnd["reason"]): void {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    this.#hooks.figures?.runEnded();
    this.#hooks.tell("onRunEnd", () => ({ ...this.#instance, reason }));
  }

  replayStarted(): void {
    if (this.#historyEvents === 0) return;
    this.#replayBegan = this.#clock.now();
    this.#hooks.tell("onReplayStart", () => ({ ...this.#instance, historyEvents: this.#historyEvents }));
  }

  /** Replayed code has come to what is recorded; what is newer is told when it is durable. */
  cameTo(event: HistoryEvent, activity: AnyActivity | undefined): void {
    // Of a rollback, too, that another worker has begun.
    if (activity?.options.sensitive) this.#operations.markSensitive(event.operationId);
    if (event.seq > this.#replayedTo) return;
    this.#operations.cameTo(event);
    if (event.kind === "cancel_requested") this.#knowsOfCancel = true;
    if (event.kind === "activity_completed" || event.kind === "activity_failed") {
      this.#cacheHits++;
      this.#operations.cacheHit(event, activity);
    }
    if (event.seq < this.#replayedTo) return;
    this.#hooks.tell("onReplayComplete", () => ({
      ...this.#instance,
      historyEvents: this.#historyEvents,
      cacheHits: this.#cacheHits,
      duration: this.#clock.now() - this.#replayBegan,
    }));
  }

  /** Makes an attempt within what hooks put around it. */
  attempt(
    { activity, args, activityId, attempt, isSensitive }: AttemptOptions,
    isCompensation: boolean,
    run: () => Promise<AttemptOutcome>,
  ): Promise<AttemptOutcome> {
    const at = this.#clock.now();
    const { name } = activity;
    this.#operations.attemptBegan(activityId, { type: "attempt", name, attempt, at, isSensitive, isCompensation });
    if (!this.#hooks.areHeard) return run();
    const make = (): ActivityStart => ({
      ...this.#instance,
      activityId,
      activityName: name,
      attempt,
      get input() {
        return isSensitive ? REDACTED : copyOf(args);
      },
      startTime: new Date(at),
      isCompensation,
    });
    this.#hooks.tell(isCompensation ? "onCompensationStart" : "onActivityStart", make);
    return this.#hooks.aroundActivity(make, run, (outcome) => failureOf(outcome, isSensitive));
  }

  /** What its code asks for, with the context in which traces go on. */
  traced(request: ActionRequest): ActionRequest {
    const own = this.#instance.traceContext;
    const traceContext = own ?? NO_TRACE;
    if (request.type === "emit") {
      const eventType = request.event.attributes["type"] as string;
      const carried = this.#hooks.capture({ kind: "event", eventType, traceContext }) ?? own;
      return { ...request, event: withTrace(request.event, carried) };
    }
    if (request.type !== "start_child") return request;
    const { id: instanceId, workflow: workflowName } = request.child;
    const context = this.#hooks.capture({ kind: "workflow", instanceId, workflowName, traceContext }) ?? own;
    return context ? { ...request, child: { ...request.child, traceContext: JSON.stringify(context) } } : request;
  }

  /**
   * It has committed this.
   *
   * @param reason why it was cancelled, if it was
   */
  applied(
    { events, patch, actions = [] }: Pick<Advance, "events" | "patch" | "actions">,
    answers: readonly (NewEvent | undefined)[],
    reason?: string,
  ): void {
    for (const event of events) {
      if (event.kind === "cancel_requested") this.#cancelRequested(event.reason ?? undefined);
      this.#operations.tell(event);
    }
    for (const [index, { request }] of actions.entries()) {
      const answer = answers[index];
      if (!answer) continue;
      const isDone = answer.kind !== "action_failed" && answer.kind !== "wait_refused";
      if (isDone && request.type === "start_child") {
        tellStart(this.#hooks, request.child, answer.at, this.#instance.instanceId);
      }
      this.#operations.tell(answer);
    }
    // One that had done nothing ends without a record of the request.
    if (patch?.event === "cancel") this.#cancelRequested(reason);
    if (!patch) return;
    const hide = (error: unknown): unknown => this.#operations.hide(error);
    tellEnd(this.#hooks, this.#instance, patch, { createdAt: this.#createdAt, reason, hide });
  }

  #cancelRequested(reason: string | undefined): void {
    if (this.#knowsOfCancel) return;
    this.#knowsOfCancel = true;
    this.#hooks.tell("onCancelRequested", () => ({ ...this.#instance, reason }));
  }
}

/** Of an instance that is in no trace: what goes on around its turns has nothing to do with it. */
const NO_TRACE: TraceContext = {};

/** Hooks must not have the activity see what they make of its arguments; one that cannot be stored is told as text. */
function copyOf(args: readonly unknown[]): readonly unknown[] {
  return args.map((value) => {
    try {
      return decode(encode(value, "An argument", Number.POSITIVE_INFINITY));
    } catch {
      return describe(value);
    }
  });
}

function failureOf(outcome: AttemptOutcome, isSensitive: boolean): Failure {
  if (outcome.type === "returned") return undefined;
  if (outcome.type === "abandoned") return { error: new Error("The attempt was abandoned") };
  return { error: isSensitive ? new Error(REDACTED) : outcome.error };
}
