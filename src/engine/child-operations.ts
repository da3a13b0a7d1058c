/** Children, as workflow code uses them. */
import { toMilliseconds } from "../core/duration.ts";
import { WorkflowNotRegisteredError } from "../core/errors.ts";
import type { Execution } from "../core/execution.ts";
import type { OperationNames } from "../core/operation.ts";
import type { AnyActivity } from "../workflow/activity-options.ts";
import type { InstanceDescription, WorkflowHandle } from "../workflow/handle.ts";
import type { StartOptions } from "../workflow/starting.ts";
import type { AnyWorkflow } from "../workflow/workflow.ts";
import { checkReason } from "./cancel.ts";
import { describeInstance } from "./inspection/inspect.ts";
import { newInstance } from "./new-instance.ts";
import type { ContextOptions, Request } from "./requests.ts";
import { checkPlace } from "./scope.ts";

export class ChildOperations {
  readonly #execution: Execution<Request>;
  readonly #names: OperationNames;
  readonly #options: ContextOptions;

  constructor(execution: Execution<Request>, names: OperationNames, options: ContextOptions) {
    this.#execution = execution;
    this.#names = names;
    this.#options = options;
  }

  /** Starts a child and gives what it returns. */
  run(workflow: AnyWorkflow, options: StartOptions, args: readonly unknown[]): Promise<unknown> {
    return this.#start("wait", workflow, options, args);
  }

  /** Starts a child and gives a handle on it. */
  async start(
    workflow: AnyWorkflow,
    options: StartOptions,
    args: readonly unknown[],
  ): Promise<WorkflowHandle<unknown>> {
    return this.#handle(workflow, (await this.#start("action", workflow, options, args)) as string);
  }

  async #start(
    kind: "wait" | "action",
    workflow: AnyWorkflow,
    options: StartOptions,
    args: readonly unknown[],
  ): Promise<unknown> {
    checkPlace(workflow.name);
    if (!this.#options.knows(workflow)) throw new WorkflowNotRegisteredError(workflow.name);
    // Named before anything is awaited, so that the order of calls counts.
    const operationId = this.#names.next(workflow.name);
    const { instance, subscriptions = [] } = await newInstance(workflow, options, args, this.#options);
    const isDetached = options.detached === true;
    if (!isDetached) this.#options.saga.offer(operationId, { type: "child", workflow: workflow.name });
    const { id, input, tags, priority, version } = instance;
    const { traceContext } = this.#options;
    const own = { id, workflow: workflow.name, input, tags, priority, version, traceContext };
    const child = { ...own, isDetached, subscriptions };
    const request = { type: "start_child", child, awaits: kind === "wait" } as const;
    return this.#execution.open(kind, operationId, { type: "action", request });
  }

  #handle(workflow: AnyWorkflow, id: string): WorkflowHandle<unknown> {
    const describe = (): Promise<InstanceDescription> => this.#describe(workflow, id);
    return {
      id,
      describe,
      status: async () => (await describe()).status,
      result: ({ timeout } = {}) => this.#result(workflow, id, timeout),
      cancel: async (reason) => {
        checkPlace("cancel");
        checkReason(reason);
        const request = { type: "cancel", instanceId: id, reason: reason ?? null } as const;
        await this.#execution.open("action", this.#names.next(`cancel_${workflow.name}`), { type: "action", request });
      },
    };
  }

  async #result(workflow: AnyWorkflow, childId: string, timeout: StartTimeout): Promise<unknown> {
    checkPlace("result");
    const { clock } = this.#options;
    const limit = timeout === undefined ? undefined : toMilliseconds(timeout, "The timeout of result()");
    const deadline = limit === undefined ? null : clock.now() + limit;
    const request = { type: "await_child", childId, workflow: workflow.name, deadline } as const;
    return this.#execution.open("wait", this.#names.next(`result_of_${workflow.name}`), { type: "action", request });
  }

  /** As an activity: what is seen of the child is recorded. */
  async #describe(workflow: AnyWorkflow, childId: string): Promise<InstanceDescription> {
    checkPlace("describe");
    const name = `describe_${workflow.name}`;
    const fn = (): Promise<InstanceDescription> => describeInstance(this.#options.store.views, childId);
    const activity: AnyActivity = { name, options: {}, fn };
    const request = { type: "activity", activity, call: {}, args: [] } as const;
    return (await this.#execution.open("activity", this.#names.next(name), request)) as InstanceDescription;
  }
}

type StartTimeout = NonNullable<Parameters<WorkflowHandle<unknown>["result"]>[0]>["timeout"];
