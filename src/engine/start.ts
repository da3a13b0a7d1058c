/** Starts instances: from arguments to a durable row. */
import { isDeepStrictEqual } from "node:util";
import { decode } from "../core/codec.ts";
import type { ChangeResult, Create, NewInstance } from "../core/commit.ts";
import { InstanceConflictError, StoreError, WorkflowNotRegisteredError } from "../core/errors.ts";
import type { Claim } from "../store/store.ts";
import type { StartOptions } from "../workflow/starting.ts";
import type { AnyWorkflow } from "../workflow/workflow.ts";
import type { Clock } from "./clock.ts";
import { type Journal, write } from "./journal.ts";
import { newInstance } from "./new-instance.ts";
import { currentActivity } from "./scope.ts";
import type { HookRunner } from "./watching/hooks.ts";
import { tellStart } from "./watching/instance-facts.ts";
import type { Worker } from "./worker.ts";

export interface StartEnvironment {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly maxValueBytes: number;
  readonly workflows: ReadonlyMap<string, AnyWorkflow>;
  /** Absent in a client. */
  readonly worker: Worker | undefined;
  readonly hooks: HookRunner | undefined;
  /** There is something to do: an instance that any worker may claim, or messages in inboxes. */
  readonly onWork: () => void;
}

/**
 * Makes an instance durable and, where there is room, runs it here at once. Inside an activity whose session has begun
 * it becomes part of that transaction.
 *
 * @returns the instance's id
 */
export async function start(...call: Parameters<typeof prepareStart>): Promise<string> {
  const begin = await prepareStart(...call);
  return begin();
}

/** Checks all that can be refused before anything is stored; what it gives makes the instance. */
export async function prepareStart(
  workflow: AnyWorkflow,
  options: StartOptions,
  args: readonly unknown[],
  environment: StartEnvironment,
): Promise<() => Promise<string>> {
  const { worker, workflows } = environment;
  const registered = workflows.get(workflow.name);
  if (worker && registered !== workflow) throw new WorkflowNotRegisteredError(workflow.name, registered !== undefined);
  const create = await newInstance(workflow, options, args, environment);
  return () => make(create, environment);
}

async function make(create: Create, environment: StartEnvironment): Promise<string> {
  const result = await createHere(traced(create, environment), environment);
  if (result.type === "exists") checkSame(create, result);
  if (result.type === "refused") {
    throw new StoreError(`The database refused to create instance ${create.instance.id}.`, { cause: result.error });
  }
  return create.instance.id;
}

/** With the trace context of whoever starts it. */
function traced(create: Create, { hooks }: StartEnvironment): Create {
  const { id: instanceId, workflow: workflowName } = create.instance;
  const context = hooks?.capture({ kind: "workflow", instanceId, workflowName, traceContext: undefined });
  return context ? { ...create, instance: { ...create.instance, traceContext: JSON.stringify(context) } } : create;
}

/** Here, where there is room; in a session any worker may have it, when the transaction is committed. */
async function createHere(create: Create, environment: StartEnvironment): Promise<ChangeResult> {
  const { journal, worker, hooks, onWork } = environment;
  const { instance } = create;
  const place = currentActivity()?.openSession ? undefined : worker?.reserve(instance.id);
  const owned: Create = place
    ? { ...create, instance: { ...instance, status: "running", workerId: place.workerId } }
    : create;
  let created = false;
  try {
    const result = await write(journal, owned, `instance ${instance.id}`, (done) => {
      if (done.type !== "applied") return;
      if (hooks) tellStart(hooks, instance, instance.createdAt);
      if (!place) onWork();
    });
    created = result.type === "applied";
    return result;
  } finally {
    place?.settle(created ? firstClaim(instance) : undefined);
  }
}

/** Of the worker that has created it. */
function firstClaim({ id, workflow, input, traceContext, createdAt }: NewInstance): Claim {
  return {
    id,
    workflow,
    input,
    epoch: 1,
    signals: 0,
    recoveries: 0,
    parentId: undefined,
    traceContext: traceContext ?? undefined,
    createdAt,
    cancel: undefined,
  };
}

function checkSame({ instance }: Create, existing: Extract<ChangeResult, { type: "exists" }>): void {
  if (existing.workflow !== instance.workflow) {
    throw new InstanceConflictError(instance.id, `workflow (${existing.workflow})`);
  }
  if (existing.input !== instance.input && !isDeepStrictEqual(decode(existing.input), decode(instance.input))) {
    throw new InstanceConflictError(instance.id, "input");
  }
}
