import { toMilliseconds } from "../core/duration.ts";
import { MisplacedCallError, ValidationError } from "../core/errors.ts";
import { checkFlag, checkFunction, checkOptions, type KnownKeys } from "../core/known-keys.ts";
import { checkRetryPolicy } from "../core/retry.ts";
import { isStorableText } from "../core/text.ts";
import type { ActivityContext } from "./activity-context.ts";
import type { ActivityCallOptions, ActivityOptions } from "./activity-options.ts";
import type { AttemptSettings } from "./attempt-settings.ts";
import type { WorkflowContext } from "./workflow-context.ts";

const KNOWN: KnownKeys<ActivityOptions<[], unknown>> = {
  retry: true,
  timeout: true,
  transactional: true,
  compensation: true,
  sensitive: true,
  input: true,
  output: true,
};

const KNOWN_OF_CALL: KnownKeys<ActivityCallOptions> = { id: true, retry: true, timeout: true };

/** The function behind an activity. */
export type ActivityFunction<Args extends readonly unknown[], Result> = (
  ctx: ActivityContext,
  ...args: Args
) => Result | Promise<Result>;

/** A defined activity. Call it with a workflow's context to run it durably. */
export interface Activity<Args extends readonly unknown[], Result> {
  (ctx: WorkflowContext, ...args: Args): Promise<Result>;
  readonly name: string;
  readonly options: ActivityOptions<Args, Result>;
  /** The user's own function, for unit tests. */
  readonly fn: ActivityFunction<Args, Result>;
  /**
   * The same activity with other settings, for one call.
   *
   * @example
   * await reserve.with({ id: "reserve-a", timeout: "5s" })(ctx, "ORD-1");
   */
  with(options: ActivityCallOptions): (ctx: WorkflowContext, ...args: Args) => Promise<Result>;
}

/**
 * Defines an activity: a function, sync or async, that does real work. Its result is recorded, so that it is not run
 * again once it has succeeded; until then it is retried.
 *
 * @param name unique within a workflow's code; part of the history, so changing it is a change of the workflow
 *
 * @example
 * const charge = defineActivity("charge", async (ctx, orderId: string, amount: number) => {
 *   return await psp.charge(orderId, amount, { idempotencyKey: ctx.idempotencyKey });
 * }, { retry: { maxAttempts: 5 }, timeout: "30s" });
 */
export function defineActivity<Args extends unknown[], Result>(
  name: string,
  fn: (ctx: ActivityContext, ...args: Args) => Result,
  options: ActivityOptions<Args, Awaited<Result>> = {},
): Activity<Args, Awaited<Result>> {
  checkName("activity", name);
  checkFunction(`Activity ${name}`, fn, `defineActivity("${name}", async (ctx) => { ... })`);
  checkOptions(`activity ${name}`, options, KNOWN);
  checkSettings(options);
  checkFlag("transactional", options.transactional);
  checkFlag("sensitive", options.sensitive);
  checkCompensation(name, options.compensation);
  const activity = (ctx: WorkflowContext, ...args: Args): Promise<Awaited<Result>> => invoke(ctx, {}, args);
  const invoke = (ctx: WorkflowContext, call: ActivityCallOptions, args: Args): Promise<Awaited<Result>> => {
    const behind = ctx?.["~operations"];
    if (behind === undefined) return Promise.reject(misplaced(name, ctx));
    return behind.activity(definition, call, args) as Promise<Awaited<Result>>;
  };
  const definition = Object.assign(activity, {
    options,
    fn: fn as ActivityFunction<Args, Awaited<Result>>,
    with: (call: ActivityCallOptions) => {
      checkOptions(`a call of activity ${name}`, call, KNOWN_OF_CALL);
      if (call.id !== undefined) checkName("operation", call.id);
      checkSettings(call);
      return (ctx: WorkflowContext, ...args: Args) => invoke(ctx, call, args);
    },
  });
  Object.defineProperty(definition, "name", { value: name });
  return definition;
}

function misplaced(name: string, ctx: unknown): MisplacedCallError {
  const where =
    typeof ctx === "object" && ctx !== null && "activityId" in ctx
      ? `inside activity ${String(ctx.activityId)}. Call it from the workflow, or call its plain function \`${name}.fn\``
      : "without a workflow's context as its first argument. Pass the `ctx` that the workflow was given";
  return new MisplacedCallError(`Activity ${name} was called ${where}.`);
}

/** Here and not at the first failure, so that a mistake shows when the program starts. */
function checkSettings({ retry, timeout }: AttemptSettings): void {
  checkRetryPolicy("retry", retry);
  if (timeout !== undefined) toMilliseconds(timeout, "The timeout of an activity");
}

function checkCompensation(activity: string, compensation: unknown): void {
  if (compensation === undefined || typeof compensation === "function") return;
  throw new ValidationError(
    `The compensation of activity ${activity} must be a function, or what \`defineCompensation\` gives.`,
  );
}

/** What has an id in place of a name. */
const IDS: ReadonlySet<string> = new Set(["instance", "operation", "message", "patch"]);

/** Longer names would not fit the key columns of every database. */
const NAME_LENGTH = 200;

/** @throws ValidationError when it is no text, or one that cannot be a name or an id */
export function checkName(what: string, name: string): void {
  checkText(what, name);
  // What cannot be stored as it is would make one name of two.
  if (isStorableText(name) && name.length > 0 && name.length <= NAME_LENGTH) return;
  throw new ValidationError(
    `The name of ${what} ${JSON.stringify(name)} must have 1 to ${NAME_LENGTH} characters, all of them whole and none NUL.`,
  );
}

/**
 * For what is only looked for: where there is nothing of this name or id, that is the answer.
 *
 * @throws ValidationError when it is no text
 */
export function checkText(what: string, name: unknown): void {
  if (typeof name === "string") return;
  const given = typeof name === "object" && name !== null ? "an object" : String(name);
  throw new ValidationError(`The ${IDS.has(what) ? "id" : "name"} of ${what} must be a text, and was ${given}.`);
}
