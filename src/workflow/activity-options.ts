import type { Duration } from "../core/duration.ts";
import type { RetryPolicy } from "../core/retry.ts";
import type { ActivityContext } from "./activity-context.ts";
import type { InputSchema, Schema } from "./schema.ts";

/** What can be said of an activity, and overridden for one call. */
export interface ActivitySettings {
  /** Overrides fields of the wider policies; `false` for one attempt. */
  readonly retry?: RetryPolicy | false;
  /** Limit of each attempt. Default: none. */
  readonly timeout?: Duration;
}

export interface ActivityOptions<Args extends readonly unknown[], Result> extends ActivitySettings {
  /**
   * Whether `ctx.session` is offered: writes through it commit together with the activity's record. Default `true`; it
   * costs nothing until it is used.
   */
  readonly transactional?: boolean;
  /** Checks the arguments before each attempt; a failure is not retried. */
  readonly input?: InputSchema<Args>;
  /** Checks the result; a failure is a failed attempt. */
  readonly output?: Schema<Result>;
}

export interface ActivityCallOptions extends ActivitySettings {
  /** The operation's id instead of `name:n`; unique within the instance. */
  readonly id?: string;
}

/** An activity as the engine sees it. */
export interface AnyActivity {
  readonly name: string;
  readonly options: ActivityOptions<readonly unknown[], unknown>;
  readonly fn: (ctx: ActivityContext, ...args: never) => unknown;
}
