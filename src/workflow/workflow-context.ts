import type { Duration } from "../core/duration.ts";
import type { ActivityCallOptions, AnyActivity } from "./activity-options.ts";
import type {
  ChannelMode,
  MessageSender,
  PublishOptions,
  ReceivedMessage,
  ReceiveOptions,
  SentMessage,
} from "./channels.ts";
import type { CompensationDefinition, CompensationFunction } from "./compensation-options.ts";
import type { ReceivedEvent, WaitEventOptions } from "./events.ts";
import type { Logger } from "./logger.ts";
import type { EventSender } from "./outbox.ts";
import type { Startable, StartOptions, WorkflowStarter } from "./starting.ts";

/** What the engine does for a workflow's context. */
export interface WorkflowOperations {
  /** The app in which the code runs; modules find by it what was said of the app. */
  readonly app: object;
  activity(activity: AnyActivity, options: ActivityCallOptions, args: readonly unknown[]): Promise<unknown>;
  child(workflow: Startable, options: StartOptions, args: readonly unknown[]): Promise<unknown>;
}

/**
 * What a workflow can do. Every method is durable: after a crash it gives the same answer again.
 *
 * Workflow code must be deterministic: no clock, randomness or I/O but through this context and activities.
 */
export interface WorkflowContext extends MessageSender, EventSender, WorkflowStarter {
  readonly instanceId: string;
  readonly workflowName: string;
  /** Whether the code is being answered from history at this moment. Use it for display, never to branch. */
  readonly isReplaying: boolean;
  /** Aborts when the instance is cancelled; its reason is the `CancelledError`. */
  readonly signal: AbortSignal;
  /** Silent while replaying, so that a line is not written again at each recovery. */
  readonly log: Logger;

  /**
   * Waits. The deadline is fixed when it is first called; crashes and deploys do not extend it, and a waiting instance
   * costs no memory once it is set aside.
   *
   * @example
   * await ctx.sleep("3 days");
   */
  sleep(duration: Duration): Promise<void>;
  /** Waits until a point in time; one in the past ends at once. */
  sleepUntil(date: Date): Promise<void>;

  /**
   * Waits for an event. From the first call on, events of the type (and key) are kept for this instance until a wait
   * takes them, each once; see the option `events` of `defineWorkflow` for those that may come earlier.
   *
   * @param type one, or several of which the first to come is taken
   * @throws EventTimeoutError after `timeout`; an event that comes later is kept for the next wait
   * @throws ValidationError when the data does not fit the `schema`
   * @example
   * const paid = await ctx.waitEvent<{ amount: number }>("payment.completed", { key: orderId, timeout: "3 days" });
   */
  waitEvent<T = unknown>(type: string | readonly string[], options?: WaitEventOptions<T>): Promise<ReceivedEvent<T>>;

  /**
   * Has messages of a channel kept for this instance, from now until it ends: all of them (`broadcast`), those that no
   * other subscriber takes (`competing`), or those that are sent to it alone (`direct`; sent earlier, too).
   *
   * @throws ChannelModeConflictError when the channel is in use in another mode
   * @example
   * await ctx.subscribe("jobs", "competing");
   * for (;;) await handle(ctx, (await ctx.receive<Job>("jobs")).data);
   */
  subscribe(channel: string, mode: ChannelMode): Promise<void>;
  /** Ends a subscription. What has come by then is kept, for when it subscribes again. */
  unsubscribe(channel: string): Promise<void>;
  /**
   * Waits for the next message of a channel.
   *
   * @throws ChannelNotSubscribedError unless the instance has subscribed to the channel
   * @throws ChannelTimeoutError after `timeout`; a message that comes later is kept for the next `receive`
   * @throws ValidationError when the data does not fit the `schema`
   */
  receive<T = unknown>(channel: string, options?: ReceiveOptions<T>): Promise<ReceivedMessage<T>>;

  /** Makes this instance a member of the group until it leaves or ends. */
  joinGroup(name: string): Promise<void>;
  leaveGroup(name: string): Promise<void>;
  /** The ids of the instances that are members at the first call. */
  groupMembers(name: string): Promise<readonly string[]>;
  /** Sends a message to each member of the group, as `sendTo` does. */
  publishToGroup(name: string, channel: string, data: unknown, options?: PublishOptions): Promise<SentMessage>;

  /**
   * Ends this instance and goes on as a new one with an empty history: **return** what it gives. What was sent to this
   * instance and not received, what it has subscribed to and its groups go along; `result()` of this instance's handle
   * gives the result of the last one.
   *
   * @param args the arguments of the new instance
   * @example
   * return ctx.recur(count + 1);
   */
  recur(...args: readonly unknown[]): Promise<never>;

  /**
   * Has something undone when the workflow fails or is cancelled from here on, in the order of all compensations: newest
   * first. For what is not an activity with a compensation of its own.
   *
   * @example
   * const room = await findRoom(ctx, guests);
   * ctx.addCompensation(releaseRoom, room.id);
   */
  addCompensation<Args extends readonly unknown[]>(
    compensation: CompensationDefinition<Args, unknown> | CompensationFunction<Args, unknown>,
    ...args: Args
  ): void;
  /**
   * Runs `body` to its end even if the instance is cancelled, before or meanwhile: durable operations inside it go on.
   *
   * @example
   * try {
   *   await rent(ctx, car);
   * } finally {
   *   await ctx.cleanup(() => giveBack(ctx, car));
   * }
   */
  cleanup<T>(body: () => T | Promise<T>): Promise<T>;

  /**
   * Whether this instance runs the code of a patch: `false` when it came by here with older code, and `true` when it comes
   * here for the first time, which its history records. The answer for an id is the same for the whole life of the
   * instance, wherever and however often it is asked.
   *
   * @param id unique within the workflow; 1 to 200 characters
   * @example
   * if (ctx.patched("check-fraud")) await checkFraud(ctx, orderId);
   * await charge(ctx, orderId);
   */
  patched(id: string): boolean;
  /**
   * Takes the place of `patched` when no instance is left that runs the older code: accepts histories with the record of
   * the patch and without it, and records nothing. When no history with the record is left either, it can be taken out.
   *
   * @example
   * ctx.deprecatePatch("check-fraud");
   * await checkFraud(ctx, orderId);
   * await charge(ctx, orderId);
   */
  deprecatePatch(id: string): void;

  /** The time in epoch milliseconds, recorded at the first call. */
  now(): number;
  /** A number from 0 up to, but not including, 1, recorded at the first call. */
  random(): number;
  /** A random UUID (version 4), recorded at the first call. */
  uuid(): string;

  /** The engine's door; not for users. */
  readonly "~operations": WorkflowOperations;
}
