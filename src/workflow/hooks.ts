/**
 * What an app tells those who watch it. Each is told after the fact, when it is durable, and once on the worker on which
 * it took place.
 */
import type { CompensationError } from "../core/errors.ts";
import type { TraceContext } from "../core/trace-context.ts";

export type { TraceContext } from "../core/trace-context.ts";

import type { WaitTarget } from "./waits.ts";

/**
 * Methods that are called when something has happened, all of them optional. They return nothing and are not waited for;
 * what they throw, or reject with, is logged and changes nothing.
 *
 * Values (`input`, `output`, `error`, ...) are read when they are asked for, so one that nobody looks at costs nothing.
 * Those of activities that are `sensitive`, and of what undoes them, are `"[redacted]"`; so is the error of an instance
 * that has failed of one.
 *
 * @example
 * const app = new Romancy({
 *   database: "workflow.db",
 *   hooks: { onWorkflowFailed: ({ instanceId, error }) => sentry.captureException(error, { tags: { instanceId } }) },
 * });
 */
export interface Hooks {
  /** An instance was created, by this app or by what it runs. */
  onWorkflowStart?(fact: WorkflowStart): void;
  onWorkflowComplete?(fact: WorkflowComplete): void;
  /** It failed, and what it had done has been undone as far as that went. */
  onWorkflowFailed?(fact: WorkflowFailed): void;
  onWorkflowCancelled?(fact: WorkflowCancelled): void;
  /** It went on as another instance. */
  onRecur?(fact: Recur): void;
  /** It cannot go on until its code is put right, or what makes it end its workers: see the status `blocked`. */
  onWorkflowBlocked?(fact: WorkflowBlocked): void;
  /** An instance that runs here was asked to cancel, and is going to. */
  onCancelRequested?(fact: CancelRequested): void;

  /** An instance that has failed, or is blocked, was told to go on, by this app. */
  onRetry?(fact: WorkflowRetry): void;

  /** A worker has taken an instance up, and runs it. */
  onRunStart?(fact: RunStart): void;
  /** It does not run it any more: it waits, has ended, or is another worker's. */
  onRunEnd?(fact: RunEnd): void;
  /** Code is run from the top and is answered from what is recorded. */
  onReplayStart?(fact: ReplayStart): void;
  /** It has come to the end of that. */
  onReplayComplete?(fact: ReplayComplete): void;

  /** An attempt begins. */
  onActivityStart?(fact: ActivityStart): void;
  onActivityComplete?(fact: ActivityComplete): void;
  /** An attempt has failed, and there will be another. */
  onActivityRetry?(fact: ActivityRetry): void;
  /** It has failed for good. */
  onActivityFailed?(fact: ActivityFailed): void;
  /** Replayed code was given what is recorded of an activity, its result or how it failed. */
  onActivityCacheHit?(fact: ActivityCacheHit): void;

  /** What has been done is about to be undone. */
  onRollbackStart?(fact: RollbackStart): void;
  /** An attempt to undo something begins. */
  onCompensationStart?(fact: ActivityStart): void;
  onCompensationComplete?(fact: ActivityComplete): void;
  /** An attempt has failed, and there will be another. */
  onCompensationRetry?(fact: ActivityRetry): void;
  /** It has failed for good. */
  onCompensationFailed?(fact: ActivityFailed): void;

  /** This app has taken in an event, by `sendEvent` or over HTTP. */
  onEventReceived?(fact: EventReceived): void;
  /** An instance has begun to wait for an event, a message of a channel or the end of a child. */
  onEventWaitStart?(fact: WaitStart): void;
  onEventWaitComplete?(fact: WaitComplete): void;
  onEventTimeout?(fact: WaitTimeout): void;
  /** A broker has taken an event of the outbox. */
  onEventSent?(fact: EventSent): void;
  /** A try to send an event to a broker has failed. */
  onEventSendFailed?(fact: EventSendFailed): void;

  onTimerStart?(fact: TimerStart): void;
  onTimerFired?(fact: TimerFired): void;

  onWorkerStart?(fact: WorkerFact): void;
  onWorkerStop?(fact: WorkerFact): void;
  /** Changes of any number of instances were committed together. */
  onCommit?(fact: Commit): void;

  /**
   * Asked when an instance or an event of the outbox is made: what is to be kept with it, to be given to the other
   * methods wherever it goes on. For traces: `traceparent` and `tracestate`.
   */
  captureContext?(maker: ContextMaker): TraceContext | undefined;
  /** Asked to run something, at once, that came in from outside with a context such as this. */
  withContext?(context: TraceContext, run: () => unknown): void;
  /**
   * Asked to run an attempt of an activity or compensation, at once.
   *
   * @param run its promise rejects when the attempt fails
   */
  aroundActivity?(fact: ActivityStart, run: () => Promise<void>): void;
  /**
   * Asked to run a try to send an event to a broker, at once.
   *
   * @param run its promise rejects when the try fails
   */
  aroundSend?(fact: EventFact, run: () => Promise<void>): void;
}

/** What a context is captured for. */
export type ContextMaker =
  | {
      readonly kind: "workflow";
      readonly instanceId: string;
      readonly workflowName: string;
      /** Of the instance that starts it, if one does; empty when that one is in no trace. */
      readonly traceContext: TraceContext | undefined;
    }
  | {
      readonly kind: "event";
      readonly eventType: string;
      /**
       * Of the instance that sends it, empty when that one is in no trace; `undefined` inside an activity, where
       * `aroundActivity` has its say.
       */
      readonly traceContext: TraceContext | undefined;
    };

/** What is told of every instance. */
export interface InstanceFact {
  readonly instanceId: string;
  readonly workflowName: string;
  /** What was captured when it was started. */
  readonly traceContext: TraceContext | undefined;
}

export interface WorkflowStart extends InstanceFact {
  /** The arguments. */
  readonly input: unknown;
  readonly startTime: Date;
  readonly tags: Readonly<Record<string, string>>;
  readonly version: string | undefined;
  /** The instance that has started it as a child. */
  readonly parentId: string | undefined;
}

interface WorkflowEnd extends InstanceFact {
  readonly startTime: Date;
  /** Milliseconds from its start. */
  readonly duration: number;
}

export interface WorkflowComplete extends WorkflowEnd {
  readonly output: unknown;
}

export interface WorkflowFailed extends WorkflowEnd {
  readonly error: unknown;
  readonly compensationErrors: readonly CompensationError[];
}

export interface WorkflowCancelled extends WorkflowEnd {
  readonly reason: string | undefined;
  /** What its code has thrown beside, if anything. */
  readonly error: unknown;
  readonly compensationErrors: readonly CompensationError[];
}

export interface Recur extends WorkflowEnd {
  readonly successorId: string;
  /** The arguments of the successor. */
  readonly input: unknown;
}

export interface WorkflowBlocked extends InstanceFact {
  readonly error: unknown;
}

export interface CancelRequested extends InstanceFact {
  readonly reason: string | undefined;
}

export interface WorkflowRetry {
  readonly instanceId: string;
  /** How many go on because of it: the instance, and the children of which it had failed. */
  readonly instances: number;
}

export interface RunStart extends InstanceFact {
  /** Milliseconds from its start until a worker ran it; `undefined` when it was run before. */
  readonly queueDelay: number | undefined;
  /** Messages and events that were in its inbox. */
  readonly inboxDepth: number;
}

export interface RunEnd extends InstanceFact {
  readonly reason: "waiting" | "ended" | "dropped";
}

export interface ReplayStart extends InstanceFact {
  readonly historyEvents: number;
}

export interface ReplayComplete extends ReplayStart {
  /** Activities whose outcome was known. */
  readonly cacheHits: number;
  /** Milliseconds. */
  readonly duration: number;
}

/** What is told of every attempt. */
interface AttemptFact extends InstanceFact {
  /** The operation's id, such as `charge:1`. */
  readonly activityId: string;
  readonly activityName: string;
  /** Counted from 1. */
  readonly attempt: number;
}

export interface ActivityStart extends AttemptFact {
  /** The arguments. */
  readonly input: unknown;
  readonly startTime: Date;
  /** Whether it undoes something. */
  readonly isCompensation: boolean;
}

interface AttemptEnd extends AttemptFact {
  /** Milliseconds that the last attempt took. */
  readonly duration: number;
}

export interface ActivityComplete extends AttemptEnd {
  readonly output: unknown;
}

export interface ActivityRetry extends AttemptEnd {
  readonly error: unknown;
  /** When the next attempt will be made. */
  readonly retryAt: Date;
  /** Milliseconds until then. */
  readonly nextDelay: number;
}

export interface ActivityFailed extends AttemptEnd {
  readonly error: unknown;
}

export interface ActivityCacheHit extends InstanceFact {
  readonly activityId: string;
  /** `undefined` when it failed. */
  readonly cachedResult: unknown;
  /** `undefined` when it succeeded. */
  readonly cachedError: unknown;
}

export interface RollbackStart extends InstanceFact {
  /** How the instance will end. */
  readonly outcome: "failed" | "cancelled";
  readonly error: unknown;
}

/** What is told of every event. */
export interface EventFact {
  readonly eventType: string;
  readonly eventId: string;
  readonly eventSource: string;
  /** The one instance that it is for, or that has sent it. */
  readonly instanceId: string | undefined;
  /** What came with it. */
  readonly traceContext: TraceContext | undefined;
}

export interface EventReceived extends EventFact {
  /** In how many inboxes it was put. */
  readonly receivers: number;
}

export interface EventSent extends EventFact {
  /** Tries that it took. */
  readonly attempts: number;
}

export interface EventSendFailed extends EventSent {
  readonly error: string;
  /** Whether it will be tried again. */
  readonly willRetry: boolean;
}

/** What is told of every wait. */
interface WaitFact extends InstanceFact {
  /** The operation's id, such as `wait_event:1`. */
  readonly operationId: string;
  readonly waitFor: WaitTarget;
  readonly startTime: Date;
}

export interface WaitStart extends WaitFact {
  /** When it will be given up; `undefined` for never. */
  readonly deadline: Date | undefined;
}

export interface WaitComplete extends WaitFact {
  /** Milliseconds. */
  readonly duration: number;
  /** What came, without its data: type or channel, id, source, and what else was sent with it. */
  readonly attributes: Readonly<Record<string, unknown>>;
}

export interface WaitTimeout extends WaitFact {
  /** Milliseconds. */
  readonly duration: number;
}

export interface TimerStart extends InstanceFact {
  /** The operation's id, such as `sleep:1`. */
  readonly timerId: string;
  readonly startTime: Date;
  readonly expiresAt: Date;
}

export interface TimerFired extends TimerStart {
  readonly firedAt: Date;
}

export interface WorkerFact {
  readonly workerId: string;
}

export interface Commit {
  /** How many. */
  readonly changes: number;
  /** Milliseconds that the database took. */
  readonly duration: number;
}
