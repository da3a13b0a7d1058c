/** What can be said of each step: of a call of a model, and of an execution of a tool. */
import type { CompensationDefinition, CompensationFunction, Duration, RetryPolicy } from "../index.ts";

/** What the activity behind a call is told. */
export interface StepSettings {
  /**
   * Overrides fields of the default, `false` for one attempt. The default for calls of models is 5 attempts, from 1 s,
   * doubling, at most 60 s, and goes before the policies of workflow and app; a provider's `Retry-After` lifts a wait,
   * never shortens it. For tools it is as for other activities.
   */
  readonly retry?: RetryPolicy | false;
  /** Limit of each attempt. Default: none; Node itself gives up after 5 minutes without a byte. */
  readonly timeout?: Duration;
  /** Prompt and answer are left out of hooks, traces and errors. They are still recorded: replay needs them. */
  readonly sensitive?: boolean;
}

/**
 * Undoes a step when its workflow fails or is cancelled later: what `defineCompensation` gives, or a function. It is given
 * what was asked for, and `ctx.result`.
 */
export type StepCompensation<Request, Result> =
  | CompensationDefinition<[request: Request], Result>
  | CompensationFunction<[request: Request], Result>;
