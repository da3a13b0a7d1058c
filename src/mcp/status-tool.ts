import { answer } from "./answers.ts";
import {
  countActivities,
  type Found,
  findInstance,
  isOver,
  pollInterval,
  progressText,
  waitJson,
} from "./instances.ts";
import type { ToolResult } from "./sdk.ts";
import { INSTANCE_ID, type InstanceArguments, objectSchema, type ToolMaker } from "./tool.ts";

const TIME = { type: "string", format: "date-time" };

const ALWAYS = {
  instance_id: INSTANCE_ID,
  status: { type: "string" },
  workflow_name: { type: "string" },
  started_at: TIME,
  updated_at: TIME,
  completed_activities: { type: "integer", minimum: 0 },
  waiting_for: { type: "array", items: { type: "object" }, description: "What it waits for, soonest first." },
};

const OUTPUT = {
  ...ALWAYS,
  poll_interval_ms: { type: "integer", description: "When to ask again; left out when it has ended." },
};

/** Tells how far an instance is. */
export const statusTool: ToolMaker = (offer, { app, sdk }) => ({
  name: `${offer.prefix}_status`,
  description: offer.describe("status"),
  inputSchema: objectSchema(sdk, { instance_id: INSTANCE_ID }, ["instance_id"]),
  outputSchema: objectSchema(sdk, OUTPUT, Object.keys(ALWAYS)),
  annotations: { readOnlyHint: true },
  async run(given) {
    const { instance_id: id } = given as unknown as InstanceArguments;
    const description = await findInstance(app, offer.workflow.name, id);
    return told({ description, completedActivities: await countActivities(app, id) }, offer.prefix);
  },
});

function told(found: Found, prefix: string): ToolResult {
  const { description, completedActivities } = found;
  const { id, status } = description;
  const poll = isOver(status) ? undefined : pollInterval(description);
  const next =
    poll === undefined ? `Ask ${prefix}_result what came of it.` : `Ask again in ${poll / 1_000} seconds, not sooner.`;
  return answer(`Instance ${id} is ${progressText(found)}. ${next}`, {
    instance_id: id,
    status,
    workflow_name: description.workflow,
    started_at: description.createdAt.toISOString(),
    updated_at: description.updatedAt.toISOString(),
    completed_activities: completedActivities,
    waiting_for: description.waitingFor.map(waitJson),
    ...(poll !== undefined && { poll_interval_ms: poll }),
  });
}
