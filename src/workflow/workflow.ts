import { type RetryPolicy, resolveRetryPolicy } from "../core/retry.ts";
import { checkName } from "./activity.ts";
import type { EventSubscription } from "./events.ts";
import type { WorkflowHandle } from "./handle.ts";
import type { InputSchema, Schema } from "./schema.ts";
import type { WorkflowContext } from "./workflow-context.ts";

export interface WorkflowOptions<Args extends readonly unknown[], Result> {
  /** Checks the arguments when an instance is started; nothing is stored when they fail. */
  readonly input?: InputSchema<Args>;
  /** Checks what the workflow returns; a failure fails the instance. */
  readonly output?: Schema<Result>;
  /** What the workflow is for, shown to people and tools. */
  readonly description?: string;
  /** For its activities; they and their calls override fields of it. */
  readonly retry?: RetryPolicy | false;
  /** Events that instances hear of from their birth, so that none is missed that comes before they wait for it. */
  readonly events?: readonly EventSubscription<Args>[];
  /**
   * Starts an instance for each event: of the workflow's own name with `true`, else of these types. Its one argument is
   * the event's data; an event that is delivered again starts nothing.
   */
  readonly eventHandler?: boolean | string | readonly string[];
}

export interface StartOptions {
  /** The instance's id, at most 200 characters. Starting it twice with equal input starts it once. Default: a UUIDv7. */
  readonly id?: string;
  /** Small labels to find instances by. */
  readonly tags?: Readonly<Record<string, string>>;
  /**
   * When more work is due than workers can take, each point lets the instance be taken as if it had waited one second
   * longer. A whole number from 0, the default, to 1,000,000; nothing is starved for ever.
   */
  readonly priority?: number;
}

/** The function behind a workflow. */
export type WorkflowFunction<Args extends readonly unknown[], Result> = (
  ctx: WorkflowContext,
  ...args: Args
) => Result | Promise<Result>;

/** What can start workflows: an app. */
export interface WorkflowStarter {
  /** The engine's door; not for users. */
  readonly "~start": (
    workflow: AnyWorkflow,
    options: StartOptions,
    args: readonly unknown[],
  ) => Promise<WorkflowHandle<unknown>>;
}

/** A workflow with start options bound to it. */
export interface BoundWorkflow<Args extends readonly unknown[], Result> {
  /** Starts an instance. Resolves once it is durable; it then runs whatever happens to this process. */
  start(app: WorkflowStarter, ...args: Args): Promise<WorkflowHandle<Result>>;
}

/** A defined workflow. */
export interface Workflow<Args extends readonly unknown[], Result> extends BoundWorkflow<Args, Result> {
  readonly name: string;
  readonly options: WorkflowOptions<Args, Result>;
  /** The user's own function. */
  readonly fn: WorkflowFunction<Args, Result>;
  /**
   * Binds start options.
   *
   * @example
   * await order.with({ id: "ORD-1", tags: { customer: "c-7" } }).start(app, "ORD-1", 99.99);
   */
  with(options: StartOptions): BoundWorkflow<Args, Result>;
}

/** A workflow as the engine sees it. */
export interface AnyWorkflow {
  readonly name: string;
  readonly options: WorkflowOptions<readonly unknown[], unknown>;
  readonly fn: (ctx: WorkflowContext, ...args: never) => unknown;
}

/**
 * Defines a workflow: an async function that calls activities and waits, and that survives the death of its process.
 *
 * @param name unique within an app; stored with each instance
 *
 * @example
 * const order = defineWorkflow("order", async (ctx, orderId: string, amount: number) => {
 *   const reservation = await reserve(ctx, orderId);
 *   await charge(ctx, orderId, amount);
 *   return { orderId, reservation };
 * });
 */
export function defineWorkflow<Args extends unknown[], Result>(
  name: string,
  fn: (ctx: WorkflowContext, ...args: Args) => Result,
  options: WorkflowOptions<Args, Awaited<Result>> = {},
): Workflow<Args, Awaited<Result>> {
  checkName("workflow", name);
  resolveRetryPolicy([options.retry]);
  const bind = (start: StartOptions): BoundWorkflow<Args, Awaited<Result>> => ({
    start: async (app, ...args) => (await app["~start"](definition, start, args)) as WorkflowHandle<Awaited<Result>>,
  });
  const definition: Workflow<Args, Awaited<Result>> = {
    name,
    options,
    fn: fn as WorkflowFunction<Args, Awaited<Result>>,
    with: bind,
    ...bind({}),
  };
  return definition;
}
