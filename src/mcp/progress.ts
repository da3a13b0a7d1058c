/** Progress, told to clients that have asked for it while a call waits. */
import type { Romancy } from "../index.ts";
import { countActivities, findInstance, progressText } from "./instances.ts";
import type { ToolContext } from "./sdk.ts";

/** Tells of each activity that was completed since it was called last; nothing when nobody has asked. */
export function progressTeller(
  app: Romancy,
  workflow: string,
  id: string,
  { mcpReq }: ToolContext,
): () => Promise<void> {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined) return async () => {};
  // The protocol wants each number to be larger than the one before.
  let told = -1;
  return async () => {
    const completedActivities = await countActivities(app, id);
    if (completedActivities <= told) return;
    told = completedActivities;
    const description = await findInstance(app, workflow, id);
    const message = progressText({ description, completedActivities });
    await mcpReq.notify({
      method: "notifications/progress",
      params: { progressToken, progress: completedActivities, message },
    });
  };
}
