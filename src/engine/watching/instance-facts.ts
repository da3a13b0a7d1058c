/** What hooks are told of instances: how they begin and end. */
import { failuresOf } from "../../core/child.ts";
import { decode } from "../../core/codec.ts";
import type { InstancePatch, NewInstance } from "../../core/commit.ts";
import { contextOf } from "../../core/trace-context.ts";
import type { Quarantined } from "../../store/store.ts";
import type { InstanceFact, WorkflowFailed } from "../../workflow/hooks.ts";
import { decodeTags } from "../tags.ts";
import type { HookRunner } from "./hooks.ts";

type Created = Pick<NewInstance, "id" | "workflow" | "input" | "tags" | "version" | "traceContext">;

/**
 * An instance was created.
 *
 * @param createdAt epoch milliseconds
 */
export function tellStart(hooks: HookRunner, created: Created, createdAt: number, parentId?: string): void {
  const { id: instanceId, workflow: workflowName, input, tags, version, traceContext } = created;
  hooks.figures?.workflowStarted(workflowName);
  hooks.tell("onWorkflowStart", () => ({
    instanceId,
    workflowName,
    traceContext: contextOf(traceContext ?? undefined),
    get input() {
      return decode(input);
    },
    startTime: new Date(createdAt),
    tags: decodeTags(tags),
    version: version ?? undefined,
    parentId,
  }));
}

/** What is known of an end beside what is recorded of it. */
interface EndingFacts {
  /** Epoch milliseconds. */
  readonly createdAt: number;
  /** Why it was cancelled, if it was. */
  readonly reason: string | undefined;
  /** What hooks are to see of an error. */
  readonly hide: (error: unknown) => unknown;
}

type WorkflowEndFacts = Pick<WorkflowFailed, keyof InstanceFact | "startTime" | "duration">;

/** How its row has changed, if it does not just go on. */
export function tellEnd(
  hooks: HookRunner,
  instance: InstanceFact,
  patch: InstancePatch,
  { createdAt, reason, hide }: EndingFacts,
): void {
  const { figures } = hooks;
  const { workflowName } = instance;
  const duration = Math.max(patch.at - createdAt, 0);
  const end = (): WorkflowEndFacts => ({ ...instance, startTime: new Date(createdAt), duration });
  switch (patch.event) {
    case "complete":
      figures?.workflowEnded(workflowName, "completed", duration);
      hooks.tell("onWorkflowComplete", () => ({
        ...end(),
        get output() {
          return decode(patch.output);
        },
      }));
      break;
    case "fail":
      figures?.workflowEnded(workflowName, "failed", duration);
      hooks.tell("onWorkflowFailed", () => withFailure(end(), patch, hide));
      break;
    case "cancel":
      figures?.workflowEnded(workflowName, "cancelled", duration);
      hooks.tell("onWorkflowCancelled", () => withFailure({ ...end(), reason }, patch, hide));
      break;
    case "recur": {
      const { id: successorId, input } = patch.successor;
      figures?.workflowEnded(workflowName, "recurred", duration);
      hooks.tell("onRecur", () => ({
        ...end(),
        successorId,
        get input() {
          return decode(input);
        },
      }));
      break;
    }
    case "block":
      tellBlocked(hooks, instance, () => hide(decode(patch.error)));
      break;
    case "compensate":
    case "progress":
    case "suspend":
      break;
  }
}

/**
 * Instances cannot go on, because worker after worker has died while it ran them.
 *
 * @param error encoded
 */
export function tellQuarantine(hooks: HookRunner, blocked: readonly Quarantined[], error: string): void {
  for (const { id: instanceId, workflow: workflowName, traceContext } of blocked) {
    tellBlocked(hooks, { instanceId, workflowName, traceContext: contextOf(traceContext) }, () => decode(error));
  }
}

function tellBlocked(hooks: HookRunner, instance: InstanceFact, errorOf: () => unknown): void {
  hooks.figures?.workflowBlocked(instance.workflowName);
  hooks.tell("onWorkflowBlocked", () => ({
    ...instance,
    get error() {
      return errorOf();
    },
  }));
}

function withFailure<End extends object>(
  end: End,
  { error, compensationErrors }: Extract<InstancePatch, { event: "fail" | "cancel" }>,
  hide: (error: unknown) => unknown,
): End & Pick<WorkflowFailed, "error" | "compensationErrors"> {
  return {
    ...end,
    get error() {
      return error === null ? undefined : hide(decode(error));
    },
    get compensationErrors() {
      return failuresOf(compensationErrors, (text) => hide(decode(text)));
    },
  };
}
