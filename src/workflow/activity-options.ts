import type { ActivityContext } from "./activity-context.ts";
import type { AttemptSettings } from "./attempt-settings.ts";
import type { CompensationDefinition, CompensationFunction } from "./compensation-options.ts";
import type { InputSchema, Schema } from "./schema.ts";

/** What the compiler is to find out elsewhere; like `NoInfer`, which cannot stand for the rest of the parameters. */
type Known<T> = [T][T extends unknown ? 0 : never];

export interface ActivityOptions<Args extends readonly unknown[], Result> extends AttemptSettings {
  /**
   * Whether `ctx.session` is offered: writes through it commit together with the activity's record. Default `true`; it
   * costs nothing until it is used.
   */
  readonly transactional?: boolean;
  /**
   * Undoes it when its workflow fails or is cancelled later: what `defineCompensation` gives, or a function. A workflow
   * that catches a failure and returns undoes nothing.
   */
  readonly compensation?:
    | CompensationDefinition<Known<Args>, Known<Result>>
    | CompensationFunction<Known<Args>, Known<Result>>;
  /** Arguments and results are for nobody else's eyes: hooks and traces are to leave them out. Default `false`. */
  readonly sensitive?: boolean;
  /** Checks the arguments before each attempt; a failure is not retried. */
  readonly input?: InputSchema<Args>;
  /** Checks the result; a failure is a failed attempt. */
  readonly output?: Schema<Result>;
}

export interface ActivityCallOptions extends AttemptSettings {
  /** The operation's id instead of `name:n`; unique within the instance. */
  readonly id?: string;
}

/** An activity as the engine sees it. */
export interface AnyActivity {
  readonly name: string;
  readonly options: Omit<ActivityOptions<readonly unknown[], unknown>, "compensation"> & {
    readonly compensation?: unknown;
  };
  readonly fn: (ctx: ActivityContext, ...args: never) => unknown;
}
