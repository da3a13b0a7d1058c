/** One durable call: an activity made for it, whose record is the answer and what it has cost. */
import { type ActivityContext, defineActivity, type RetryPolicy, type WorkflowContext } from "../index.ts";
import { attemptError, type ModelName, revive } from "./errors.ts";
import type { StepCompensation, StepSettings } from "./step-settings.ts";
import { countFailure, countUsage, type Recorded } from "./usage.ts";

/** How a step is named, and what its activity is told. */
export interface Step extends StepSettings {
  /** The activity's name. */
  readonly name: string;
  /** The operation's id instead of `name:n`. */
  readonly id?: string;
  /** Takes what this step is asked for, and gives; the compiler has seen to it where the step was defined. */
  readonly compensation?: StepCompensation<never, never>;
}

/** A step of that name, out of settings that say more than a step needs. */
export function stepOf(name: string, { retry, timeout, sensitive, id, compensation }: Partial<Step>): Step {
  return {
    name,
    ...(retry !== undefined && { retry }),
    ...(timeout !== undefined && { timeout }),
    ...(sensitive !== undefined && { sensitive }),
    ...(id !== undefined && { id }),
    ...(compensation !== undefined && { compensation }),
  };
}

/** Providers that are busy are so for seconds, not for milliseconds. */
const MODEL_RETRY: RetryPolicy = { maxAttempts: 5, initialInterval: "1s", maxInterval: "60s" };

/**
 * Runs a call of a model as an activity, and counts what it has cost.
 *
 * @param request what hooks and compensations see as the activity's argument
 */
export async function runModelStep<T extends object>(
  ctx: WorkflowContext,
  step: Step,
  model: ModelName,
  request: object,
  body: (activity: ActivityContext) => Promise<Recorded<T>>,
): Promise<T> {
  const { retry, sensitive = false } = step;
  const policy = retry === false ? false : { ...MODEL_RETRY, ...retry };
  const attempt = async (activity: ActivityContext): Promise<Recorded<T>> => {
    try {
      return toPlain(await body(activity));
    } catch (error) {
      throw attemptError(error, model, sensitive);
    }
  };
  try {
    return countUsage(ctx, await runStep(ctx, { ...step, retry: policy }, request, attempt));
  } catch (thrown) {
    const error = revive(thrown);
    countFailure(ctx, error);
    throw error;
  }
}

/** Runs `body` as an activity of its own. */
export async function runStep<T>(
  ctx: WorkflowContext,
  { name, id, compensation, ...options }: Step,
  request: object,
  body: (activity: ActivityContext) => T | Promise<T>,
): Promise<Awaited<T>> {
  const activity = defineActivity(name, (context: ActivityContext, _request: object) => body(context), {
    // It does not wait for a transaction of another activity.
    transactional: false,
    ...options,
    ...(compensation !== undefined && { compensation: compensation as StepCompensation<object, unknown> }),
  });
  return await activity.with(id === undefined ? {} : { id })(ctx, request);
}

/** Without members that are `undefined`, so that what is plain JSON otherwise is stored as such and can be read. */
function toPlain<T>(value: T): T {
  if (Array.isArray(value)) return value.map(toPlain) as T;
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(members.map(([key, member]) => [key, toPlain(member)])) as T;
}
