import type { RetryPolicy } from "../core/retry.ts";
import type { ActivityContext } from "./activity-context.ts";
import type { AttemptSettings } from "./attempt-settings.ts";

/** What a compensation knows and can do: all that an activity can, and what came of what it undoes. */
export interface CompensationContext<Result = unknown> extends ActivityContext {
  /** What the activity returned; `undefined` for one that was added by `ctx.addCompensation`. */
  readonly result: Result;
}

/** The function behind a compensation; its arguments are those that the activity was called with. */
export type CompensationFunction<Args extends readonly unknown[], Result> = (
  ctx: CompensationContext<Result>,
  ...args: Args
) => unknown;

export interface CompensationOptions extends AttemptSettings {
  /**
   * Overrides fields of the policy of compensations: 10 attempts, 100 ms, doubling, at most one minute, half of it
   * jitter. The policies of activities, workflow and app do not count here.
   */
  readonly retry?: RetryPolicy | false;
  /** Whether `ctx.session` is offered, as for activities. Default `true`. */
  readonly transactional?: boolean;
  /** As for activities. Default: as the activity which it undoes, or `false` for one added by `ctx.addCompensation`. */
  readonly sensitive?: boolean;
}

/** What makes a compensation. */
export interface CompensationDefinition<Args extends readonly unknown[], Result> {
  readonly name: string;
  readonly options: CompensationOptions;
  /**
   * The user's own function, for unit tests. A method, for the compiler: it compares this with an activity whose result
   * it does not know yet.
   */
  fn(ctx: CompensationContext<Result>, ...args: Args): unknown;
}

/** A compensation as the engine sees it. */
export interface AnyCompensation {
  readonly name: string;
  readonly options: CompensationOptions;
  readonly fn: (ctx: CompensationContext<never>, ...args: never) => unknown;
}

/**
 * The compensation that was given with an activity, or by hand.
 *
 * @param owner whose name is used for a plain function
 */
export function asCompensation(owner: string, given: object): AnyCompensation {
  if ("fn" in given) return given as unknown as AnyCompensation;
  return { name: `undo_${owner}`, options: {}, fn: given as AnyCompensation["fn"] };
}
