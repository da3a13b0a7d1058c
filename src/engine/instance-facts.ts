/** What hooks are told of instances: how they begin and end. */
import { failuresOf } from "../core/child.ts";
import { decode } from "../core/codec.ts";
import type { InstancePatch, NewInstance } from "../core/commit.ts";
import { contextOf } from "../core/trace-context.ts";
import type { InstanceFact } from "../workflow/hooks.ts";
import type { HookRunner } from "./hooks.ts";

type Created = Pick<NewInstance, "id" | "workflow" | "input" | "tags" | "version" | "traceContext">;

/**
 * An instance was created.
 *
 * @param createdAt epoch milliseconds
 */
export function tellStart(hooks: HookRunner, created: Created, createdAt: number, parentId?: string): void {
  const { id: instanceId, workflow: workflowName, input, tags, version, traceContext } = created;
  hooks.tell("onWorkflowStart", {
    instanceId,
    workflowName,
    traceContext: contextOf(traceContext ?? undefined),
    get input() {
      return decode(input);
    },
    startTime: new Date(createdAt),
    tags: tags === null ? {} : (JSON.parse(tags) as Record<string, string>),
    version: version ?? undefined,
    parentId,
  });
}

/**
 * How its row has changed, if it does not just go on.
 *
 * @param createdAt epoch milliseconds
 * @param reason why it was cancelled, if it was
 */
export function tellEnd(
  hooks: HookRunner,
  instance: InstanceFact,
  patch: InstancePatch,
  createdAt: number,
  reason: string | undefined,
): void {
  const end = { ...instance, startTime: new Date(createdAt), duration: Math.max(patch.at - createdAt, 0) };
  switch (patch.event) {
    case "complete":
      hooks.tell("onWorkflowComplete", {
        ...end,
        get output() {
          return decode(patch.output);
        },
      });
      break;
    case "fail":
      hooks.tell("onWorkflowFailed", { ...end, ...failureOf(patch) });
      break;
    case "cancel":
      hooks.tell("onWorkflowCancelled", { ...end, reason, ...failureOf(patch) });
      break;
    case "recur": {
      const { id: successorId, input } = patch.successor;
      hooks.tell("onRecur", { ...end, successorId, input: decode(input) });
      break;
    }
    case "block":
      hooks.tell("onWorkflowBlocked", { ...instance, error: decode(patch.error) });
      break;
    case "compensate":
    case "progress":
    case "suspend":
      break;
  }
}

function failureOf({ error, compensationErrors }: Extract<InstancePatch, { event: "fail" | "cancel" }>): {
  readonly error: unknown;
  readonly compensationErrors: ReturnType<typeof failuresOf>;
} {
  return {
    error: error === null ? undefined : decode(error),
    compensationErrors: failuresOf(compensationErrors, decode),
  };
}
