import { MisplacedCallError } from "../core/errors.ts";
import { checkFlag, checkFunction, checkOptions, type KnownKeys } from "../core/known-keys.ts";
import { checkRetryPolicy, type RetryPolicy } from "../core/retry.ts";
import { checkName } from "./activity.ts";
import type { EventSubscription } from "./events.ts";
import type { WorkflowHandle } from "./handle.ts";
import type { InputSchema, Schema } from "./schema.ts";
import type { StartOptions, WorkflowStarter } from "./starting.ts";
import type { WorkflowContext } from "./workflow-context.ts";

export interface WorkflowOptions<Args extends readonly unknown[], Result> {
  /** Checks the arguments when an instance is started; nothing is stored when they fail. */
  readonly input?: InputSchema<Args>;
  /** Checks what the workflow returns; a failure fails the instance. */
  readonly output?: Schema<Result>;
  /** What the workflow is for, shown to people and tools. */
  readonly description?: string;
  /**
   * Recorded with each instance when it begins, to be shown and listed by; 1 to 200 characters. It changes nothing in
   * how instances run.
   */
  readonly version?: string;
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

const KNOWN: KnownKeys<WorkflowOptions<[], unknown>> = {
  input: true,
  output: true,
  description: true,
  version: true,
  retry: true,
  events: true,
  eventHandler: true,
};

const KNOWN_OF_START: KnownKeys<StartOptions> = { id: true, tags: true, priority: true, detached: true };

/** The function behind a workflow. */
export type WorkflowFunction<Args extends readonly unknown[], Result> = (
  ctx: WorkflowContext,
  ...args: Args
) => Result | Promise<Result>;

/** A workflow with start options bound to it. */
export interface BoundWorkflow<Args extends readonly unknown[], Result> {
  /**
   * Runs it as a child of the workflow whose context is given, and gives what it returns. There is exactly one child,
   * whatever happens to the process. When the parent fails or is cancelled later, the child undoes what it has done.
   *
   * @throws WorkflowFailedError when the child has failed, and its `cause` is what the child threw, or was cancelled
   * @example
   * const invoice = await createInvoice(ctx, orderId);
   */
  (ctx: WorkflowContext, ...args: Args): Promise<Result>;
  /**
   * Starts an instance. Resolves once it is durable; it then runs whatever happens to this process. With a workflow's
   * context it is a child, and all that is done with the handle is recorded.
   */
  start(starter: WorkflowStarter, ...args: Args): Promise<WorkflowHandle<Result>>;
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
  checkFunction(`Workflow ${name}`, fn, `defineWorkflow("${name}", async (ctx) => { ... })`);
  checkOptions(`workflow ${name}`, options, KNOWN);
  if (options.version !== undefined) checkName("version", options.version);
  checkRetryPolicy("retry", options.retry);
  const bind = (start: StartOptions): BoundWorkflow<Args, Awaited<Result>> => {
    const run = async (ctx: WorkflowContext, ...args: Args): Promise<Awaited<Result>> => {
      const behind = ctx?.["~operations"];
      if (behind === undefined) throw misplaced(name);
      return (await behind.child(definition, start, args)) as Awaited<Result>;
    };
    return Object.assign(run, {
      start: async (starter: WorkflowStarter, ...args: Args) =>
        (await starter["~start"](definition, start, args)) as WorkflowHandle<Awaited<Result>>,
    });
  };
  const definition = Object.assign(bind({}), {
    options,
    fn: fn as WorkflowFunction<Args, Awaited<Result>>,
    with: (start: StartOptions) => {
      checkOptions(`a start of workflow ${name}`, start, KNOWN_OF_START);
      checkFlag("detached", start.detached);
      return bind(start);
    },
  });
  Object.defineProperty(definition, "name", { value: name });
  return definition;
}

function misplaced(name: string): MisplacedCallError {
  return new MisplacedCallError(
    `Workflow ${name} was called without a workflow's context as its first argument. Call it from a workflow, with its ` +
      `\`ctx\`, or start it with \`${name}.start(app, ...)\`.`,
  );
}
