import type { Duration } from "../core/duration.ts";
import type { ActivityCallOptions, AnyActivity } from "./activity-options.ts";
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

  /** The time in epoch milliseconds, recorded at the first call. */
  now(): number;
  /** A number from 0 up to, but not including, 1, recorded at the first call. */
  random(): number;
  /** A random UUID (version 4), recorded at the first call. */
  uuid(): string;

  /** The engine's door; not for users. */
  readonly "~operations": WorkflowOperations;
}
