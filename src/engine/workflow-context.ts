import { type Duration, toMilliseconds } from "../core/duration.ts";
import { ValidationError } from "../core/errors.ts";
import type { Execution } from "../core/execution.ts";
import type { WaitFor } from "../core/history.ts";
import { checkOptions, type KnownKeys } from "../core/known-keys.ts";
import { OperationNames } from "../core/operation.ts";
import { Patches } from "../core/patches.ts";
import { uuidv4 } from "../core/uuid.ts";
import { checkName } from "../workflow/activity.ts";
import type { ActivityCallOptions, AnyActivity } from "../workflow/activity-options.ts";
import type {
  ChannelMode,
  PublishOptions,
  ReceivedMessage,
  ReceiveOptions,
  SentMessage,
} from "../workflow/channels.ts";
import {
  asCompensation,
  type CompensationDefinition,
  type CompensationFunction,
} from "../workflow/compensation-options.ts";
import type { OutgoingEventInput, ReceivedEvent, WaitEventOptions } from "../workflow/events.ts";
import type { Logger } from "../workflow/logger.ts";
import type { SentEvent } from "../workflow/outbox.ts";
import { validate } from "../workflow/schema.ts";
import type { WorkflowContext, WorkflowOperations } from "../workflow/workflow-context.ts";
import { ChannelOperations } from "./channel-operations.ts";
import { ChildOperations } from "./child-operations.ts";
import { bindLogger } from "./log.ts";
import { outgoingEvent } from "./outbox/outgoing.ts";
import { Recurrence } from "./recurrence.ts";
import type { ContextOptions, Request } from "./requests.ts";
import { checkPlace, runAsCleanup } from "./scope.ts";

const KNOWN_OF_WAIT: KnownKeys<WaitEventOptions<unknown>> = { timeout: true, key: true, schema: true };

/** The context of one run of a workflow's code: names operations and hands them to the execution. */
export class EngineWorkflowContext implements WorkflowContext {
  readonly instanceId: string;
  readonly workflowName: string;
  readonly "~operations": WorkflowOperations;
  readonly "~start": WorkflowContext["~start"];
  readonly #execution: Execution<Request>;
  readonly #options: ContextOptions;
  readonly #names = new OperationNames();
  // Made when they are first used: few workflows use all of them.
  #patches: Patches | undefined;
  #channels: ChannelOperations | undefined;
  #children: ChildOperations | undefined;
  #recurrence: Recurrence | undefined;
  #log: Logger | undefined;

  constructor(execution: Execution<Request>, options: ContextOptions) {
    this.instanceId = options.instanceId;
    this.workflowName = options.workflowName;
    this.#execution = execution;
    this.#options = options;
    this["~operations"] = {
      app: options.app,
      activity: (activity, call, args) => this.#activity(activity, call, args),
      child: (workflow, start, args) => this.#needChildren().run(workflow, start, args),
    };
    this["~start"] = (workflow, start, args) => this.#needChildren().start(workflow, start, args);
  }

  get log(): Logger {
    const { instanceId, workflowName: workflow } = this;
    this.#log ??= bindLogger(this.#options.log, { instanceId, workflow }, () => this.isReplaying);
    return this.#log;
  }

  get isReplaying(): boolean {
    return this.#execution.isReplaying;
  }

  get signal(): AbortSignal {
    return this.#options.cancellation.signal;
  }

  addCompensation<Args extends readonly unknown[]>(
    compensation: CompensationDefinition<Args, unknown> | CompensationFunction<Args, unknown>,
    ...args: Args
  ): void {
    checkPlace("addCompensation");
    const undo = asCompensation(compensation.name || "compensation", compensation);
    const { name } = undo;
    const operationId = this.#names.next(name);
    this.#options.saga.offer(operationId, { type: "compensation", compensation: undo, args, isSensitive: false });
    const at = this.#options.clock.now();
    this.#execution.mark("compensation", { kind: "compensation_added", operationId, at, compensation: name });
  }

  async cleanup<T>(body: () => T | Promise<T>): Promise<T> {
    checkPlace("cleanup");
    return runAsCleanup(body);
  }

  async sleep(duration: Duration): Promise<void> {
    const milliseconds = toMilliseconds(duration, "The time to sleep");
    const at = this.#options.clock.now();
    await this.#sleep(at, at + milliseconds);
  }

  async sleepUntil(date: Date): Promise<void> {
    const time = date instanceof Date ? date.getTime() : Number.NaN;
    if (Number.isNaN(time)) throw new ValidationError("sleepUntil was not given a valid Date.");
    await this.#sleep(this.#options.clock.now(), time);
  }

  async waitEvent<T = unknown>(
    type: string | readonly string[],
    options: WaitEventOptions<T> = {},
  ): Promise<ReceivedEvent<T>> {
    checkPlace("waitEvent");
    checkOptions("waitEvent", options, KNOWN_OF_WAIT);
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

  subscribe(channel: string, mode: ChannelMode): Promise<void> {
    return this.#needChannels().subscribe(channel, mode);
  }

  unsubscribe(channel: string): Promise<void> {
    return this.#needChannels().unsubscribe(channel);
  }

  receive<T = unknown>(channel: string, options: ReceiveOptions<T> = {}): Promise<ReceivedMessage<T>> {
    return this.#needChannels().receive(channel, options);
  }

  publish(channel: string, data: unknown, options?: PublishOptions): Promise<SentMessage> {
    return this.#needChannels().publish(channel, data, options);
  }

  sendTo(instanceId: string, channel: string, data: unknown, options?: PublishOptions): Promise<SentMessage> {
    return this.#needChannels().sendTo(instanceId, channel, data, options);
  }

  async sendEvent(event: OutgoingEventInput): Promise<SentEvent> {
    checkPlace("sendEvent");
    const { clock, maxValueBytes, instanceId, workflowName } = this.#options;
    const id = this.#names.next("send_event");
    const origin = { workflowName, eventId: `${instanceId}/${id}`, at: clock.now(), maxValueBytes };
    const request = { type: "emit", event: outgoingEvent(event, origin) } as const;
    return (await this.#execution.open("action", id, { type: "action", request })) as SentEvent;
  }

  joinGroup(name: string): Promise<void> {
    return this.#needChannels().joinGroup(name);
  }

  leaveGroup(name: string): Promise<void> {
    return this.#needChannels().leaveGroup(name);
  }

  groupMembers(name: string): Promise<readonly string[]> {
    return this.#needChannels().groupMembers(name);
  }

  publishToGroup(name: string, channel: string, data: unknown, options?: PublishOptions): Promise<SentMessage> {
    return this.#needChannels().publishToGroup(name, channel, data, options);
  }

  async recur(...args: readonly unknown[]): Promise<never> {
    checkPlace("recur");
    this.#recurrence = new Recurrence(args);
    return this.#recurrence as never;
  }

  /** What the workflow has to return, if it has asked to recur. */
  get recurrence(): Recurrence | undefined {
    return this.#recurrence;
  }

  patched(id: string): boolean {
    checkPlace("patched");
    checkName("patch", id);
    return this.#needPatches().patched(id, this.#options.clock.now());
  }

  deprecatePatch(id: string): void {
    checkPlace("deprecatePatch");
    checkName("patch", id);
    this.#needPatches().deprecate(id, this.#options.clock.now());
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

  #needPatches(): Patches {
    this.#patches ??= new Patches(this.#execution);
    return this.#patches;
  }

  #needChannels(): ChannelOperations {
    this.#channels ??= new ChannelOperations(this.#execution, this.#names, this.#options);
    return this.#channels;
  }

  #needChildren(): ChildOperations {
    this.#children ??= new ChildOperations(this.#execution, this.#names, this.#options);
    return this.#children;
  }

  #activity(activity: AnyActivity, call: ActivityCallOptions, args: readonly unknown[]): Promise<unknown> {
    try {
      checkPlace(activity.name);
    } catch (error) {
      return Promise.reject(error);
    }
    const id = call.id ?? this.#names.next(activity.name);
    const { compensation, sensitive: isSensitive = false } = activity.options;
    if (compensation) {
      const undo = asCompensation(activity.name, compensation);
      this.#options.saga.offer(id, { type: "compensation", compensation: undo, args, isSensitive });
    }
    return this.#execution.open("activity", id, { type: "activity", activity, call, args });
  }

  async #sleep(at: number, fireAt: number): Promise<void> {
    checkPlace("sleep");
    const id = this.#names.next("sleep");
    const started = { kind: "timer_started", operationId: id, at, fireAt } as const;
    await this.#execution.open("timer", id, { type: "timer", fireAt }, started);
  }

  #value<T>(name: string, produce: () => T): T {
    checkPlace(name);
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
