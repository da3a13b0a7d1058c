import { type Duration, toMilliseconds } from "../core/duration.ts";
import { MisplacedCallError, ValidationError } from "../core/errors.ts";
import type { Execution } from "../core/execution.ts";
import type { WaitFor } from "../core/history.ts";
import { OperationNames } from "../core/operation.ts";
import { uuidv4 } from "../core/uuid.ts";
import { checkName } from "../workflow/activity.ts";
import type { ActivityCallOptions, AnyActivity } from "../workflow/activity-options.ts";
import type { ReceivedEvent, WaitEventOptions } from "../workflow/events.ts";
import type { Logger } from "../workflow/logger.ts";
import { validate } from "../workflow/schema.ts";
import type { WorkflowContext, WorkflowOperations } from "../workflow/workflow-context.ts";
import type { Clock } from "./clock.ts";
import { bindLogger } from "./log.ts";
import { currentActivity } from "./scope.ts";

/** What workflow code asks the engine for. */
export type Request = ActivityRequest | TimerRequest | WaitRequest;

export interface ActivityRequest {
  readonly type: "activity";
  readonly activity: AnyActivity;
  readonly call: ActivityCallOptions;
  readonly args: readonly unknown[];
}

interface TimerRequest {
  readonly type: "timer";
  /** Epoch milliseconds. */
  readonly fireAt: number;
}

interface WaitRequest {
  readonly type: "wait";
  readonly waitFor: WaitFor;
  /** Epoch milliseconds; `null` for none. */
  readonly deadline: number | null;
}

export interface ContextOptions {
  readonly instanceId: string;
  readonly workflowName: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Filled by the engine's source of randomness. */
  readonly randomBytes: (count: number) => Uint8Array;
}

/** The context of one run of a workflow's code: names operations and hands them to the execution. */
export class EngineWorkflowContext implements WorkflowContext {
  readonly instanceId: string;
  readonly workflowName: string;
  readonly "~operations": WorkflowOperations;
  readonly #execution: Execution<Request>;
  readonly #options: ContextOptions;
  readonly #names = new OperationNames();
  #log: Logger | undefined;

  constructor(execution: Execution<Request>, options: ContextOptions) {
    this.instanceId = options.instanceId;
    this.workflowName = options.workflowName;
    this.#execution = execution;
    this.#options = options;
    this["~operations"] = { activity: (activity, call, args) => this.#activity(activity, call, args) };
  }

  get log(): Logger {
    const { instanceId, workflowName: workflow } = this;
    this.#log ??= bindLogger(this.#options.log, { instanceId, workflow }, () => this.isReplaying);
    return this.#log;
  }

  get isReplaying(): boolean {
    return this.#execution.isReplaying;
  }

  async sleep(duration: Duration): Promise<void> {
    const milliseconds = toMilliseconds(duration, "The time to sleep");
    await this.#sleep(this.#options.clock.now() + milliseconds);
  }

  async sleepUntil(date: Date): Promise<void> {
    const time = date instanceof Date ? date.getTime() : Number.NaN;
    if (Number.isNaN(time)) throw new ValidationError("sleepUntil was not given a valid Date.");
    await this.#sleep(time);
  }

  async waitEvent<T = unknown>(
    type: string | readonly string[],
    options: WaitEventOptions<T> = {},
  ): Promise<ReceivedEvent<T>> {
    const misplaced = misplacedCall("waitEvent");
    if (misplaced) throw misplaced;
    const { timeout, key, schema } = options;
    const waitFor: WaitFor = { kind: "event", types: typesOf(type), key: keyOf(key) };
    const at = this.#options.clock.now();
    const deadline = timeout === undefined ? null : at + toMilliseconds(timeout, "The timeout of waitEvent");
    const id = this.#names.next("wait_event");
    const started = { kind: "wait_started", operationId: id, at, waitFor, deadline } as const;
    const received = await this.#execution.open("wait", id, { type: "wait", waitFor, deadline }, started);
    const event = received as ReceivedEvent<T>;
    return schema ? { ...event, data: await validate(schema, event.data, `The data of event ${event.type}`) } : event;
  }

  now(): number {
    return this.#value("now", () => this.#options.clock.now());
  }

  random(): number {
    return this.#value("random", () => this.#options.clock.random());
  }

  uuid(): string {
    return this.#value("uuid", () => uuidv4(this.#options.randomBytes(16)));
  }

  #activity(activity: AnyActivity, call: ActivityCallOptions, args: readonly unknown[]): Promise<unknown> {
    const misplaced = misplacedCall(activity.name);
    if (misplaced) return Promise.reject(misplaced);
    const id = call.id ?? this.#names.next(activity.name);
    return this.#execution.open("activity", id, { type: "activity", activity, call, args });
  }

  async #sleep(fireAt: number): Promise<void> {
    const misplaced = misplacedCall("sleep");
    if (misplaced) throw misplaced;
    const id = this.#names.next("sleep");
    const started = { kind: "timer_started", operationId: id, at: this.#options.clock.now(), fireAt } as const;
    await this.#execution.open("timer", id, { type: "timer", fireAt }, started);
  }

  #value<T>(name: string, produce: () => T): T {
    const misplaced = misplacedCall(name);
    if (misplaced) throw misplaced;
    return this.#execution.value(this.#names.next(name), this.#options.clock.now(), produce);
  }
}

function typesOf(type: string | readonly string[]): readonly string[] {
  const types = typeof type === "string" ? [type] : [...new Set(type)];
  if (types.length === 0) throw new ValidationError("waitEvent was given no type to wait for.");
  for (const one of types) checkName("event", one);
  return types;
}

function keyOf(key: string | undefined): string | null {
  if (key === undefined) return null;
  checkName("key", key);
  return key;
}

/** A workflow's context that found its way into an activity. */
function misplacedCall(name: string): MisplacedCallError | undefined {
  const activity = currentActivity();
  return (
    activity &&
    new MisplacedCallError(
      `${name} was called with the workflow's context inside activity ${activity.activityId}. ` +
        "Durable calls belong into the workflow: return from the activity first.",
    )
  );
}
