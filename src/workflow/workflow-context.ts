import type { Duration } from "../core/duration.ts";
import type { ActivityCallOptions, AnyActivity } from "./activity-options.ts";
import type { ReceivedEvent, WaitEventOptions } from "./events.ts";
import type { Logger } from "./logger.ts";

/** What the engine does for a workflow's context. */
export interface WorkflowOperations {
  activity(activity: AnyActivity, options: ActivityCallOptions, args: readonly unknown[]): Promise<unknown>;
}

/**
 * What a workflow can do. Every method is durable: after a crash it gives the same answer again.
 *
 * Workflow code must be deterministic: no clock, randomness or I/O but through this context and activities.
 */
export interface WorkflowContext {
  readonly instanceId: string;
  readonly workflowName: string;
  /** Whether the code is being answered from history at this moment. Use it for display, never to branch. */
  readonly isReplaying: boolean;
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

  /** The time in epoch milliseconds, recorded at the first call. */
  now(): number;
  /** A number from 0 up to, but not including, 1, recorded at the first call. */
  random(): number;
  /** A random UUID (version 4), recorded at the first call. */
  uuid(): string;

  /** The engine's door; not for users. */
  readonly "~operations": WorkflowOperations;
}
