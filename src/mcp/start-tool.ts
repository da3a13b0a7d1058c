import { answer } from "./answers.ts";
import { validArguments } from "./arguments.ts";
import type { ToolResult } from "./sdk.ts";
import type { TaskOffer } from "./tasks.ts";
import { INSTANCE_ID, objectSchema, shownSchema, type Tool, type ToolEnvironment } from "./tool.ts";
import type { Offer } from "./workflow-tools.ts";

/** Starts an instance; to clients that understand tasks, it is one. */
export function startTool(offer: Offer, { app, sdk }: ToolEnvironment, tasks: TaskOffer | undefined): Tool {
  const { workflow, prefix, input } = offer;
  return {
    name: `${prefix}_start`,
    description: offer.describe("start"),
    inputSchema: shownSchema(input.schema),
    outputSchema: tasks ? undefined : objectSchema(sdk, { instance_id: INSTANCE_ID }, ["instance_id"]),
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: offer.instanceId !== undefined },
    async run(given, context) {
      const args = input.read(given);
      const id = await idOf(offer, args);
      const handle = await workflow.with(id === undefined ? {} : { id }).start(app, ...(args as never));
      if (tasks?.isWantedBy(context)) return tasks.created(handle.id);
      return started(offer, handle.id);
    },
  };
}

async function idOf({ workflow, instanceId }: Offer, args: readonly unknown[]): Promise<string | undefined> {
  if (!instanceId) return undefined;
  return instanceId(...((await validArguments(workflow, args)) as never));
}

function started({ workflow, prefix }: Offer, id: string): ToolResult {
  const text =
    `Instance ${id} of the workflow ${workflow.name} is started and goes on by itself. Ask ${prefix}_status how far it is, ` +
    `${prefix}_result for what it returns, and ${prefix}_cancel to cancel it, each with this instance_id.`;
  return answer(text, { instance_id: id });
}
