import { toMilliseconds } from "../core/duration.ts";
import { checkFunction, checkOptions, type KnownKeys } from "../core/known-keys.ts";
import { type Activity, checkName, defineActivity } from "./activity.ts";
import type { CompensationContext, CompensationDefinition, CompensationOptions } from "./compensation-options.ts";
import type { WorkflowContext } from "./workflow-context.ts";

const KNOWN: KnownKeys<CompensationOptions> = { retry: true, timeout: true, transactional: true, sensitive: true };

/** A defined compensation. Called with a workflow's context it is run at once, as an activity is. */
export interface Compensation<Args extends readonly unknown[], Result> extends CompensationDefinition<Args, Result> {
  (ctx: WorkflowContext, ...args: Args): Promise<void>;
}

/**
 * Defines how an activity is undone when its workflow fails or is cancelled later.
 *
 * @param fn is given the arguments of the activity, and what it returned as `ctx.result`. It is run at least once: make
 *   it idempotent, or write through `ctx.session` alone
 *
 * @example
 * const cancelReservation = defineCompensation(
 *   "cancel_reservation",
 *   async (ctx: CompensationContext<Reservation>, orderId: string) => stock.cancel(ctx.result.reservationId),
 * );
 * const reserve = defineActivity("reserve", reserveStock, { compensation: cancelReservation });
 */
export function defineCompensation<Args extends unknown[], Result = unknown>(
  name: string,
  fn: (ctx: CompensationContext<Result>, ...args: Args) => unknown,
  options: CompensationOptions = {},
): Compensation<Args, Result> {
  checkName("compensation", name);
  checkFunction(`Compensation ${name}`, fn, `defineCompensation("${name}", async (ctx) => { ... })`);
  checkOptions(`compensation ${name}`, options, KNOWN);
  if (options.timeout !== undefined) toMilliseconds(options.timeout, "The timeout of a compensation");
  const asActivity = defineActivity(name, fn as never, options) as unknown as Activity<Args, unknown>;
  const compensation = async (ctx: WorkflowContext, ...args: Args): Promise<void> =>
    void (await asActivity(ctx, ...args));
  Object.defineProperty(compensation, "name", { value: name });
  return Object.assign(compensation, { options, fn });
}
