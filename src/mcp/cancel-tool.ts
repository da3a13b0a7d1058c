import { InstanceNotCancellableError, InstanceNotFoundError } from "../index.ts";
import { answer } from "./answers.ts";
import { findInstance } from "./instances.ts";
import { INSTANCE_ID, type InstanceArguments, objectSchema, type ToolMaker } from "./tool.ts";

const OUTPUT = { success: { type: "boolean" }, message: { type: "string" } };

/** Cancels an instance. That it cannot be cancelled is an answer, not a failure of the tool. */
export const cancelTool: ToolMaker = (offer, { app, sdk }) => ({
  name: `${offer.prefix}_cancel`,
  description: offer.describe("cancel"),
  inputSchema: objectSchema(
    sdk,
    { instance_id: INSTANCE_ID, reason: { type: "string", description: "Why; it is kept with the instance." } },
    ["instance_id"],
  ),
  outputSchema: objectSchema(sdk, OUTPUT, Object.keys(OUTPUT)),
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true },
  async run(given) {
    const { instance_id: id, reason } = given as unknown as InstanceArguments & { reason?: string };
    try {
      await findInstance(app, offer.workflow.name, id);
      await app.cancel(id, reason);
    } catch (error) {
      if (!(error instanceof InstanceNotFoundError || error instanceof InstanceNotCancellableError)) throw error;
      return answer(error.message, { success: false, message: error.message });
    }
    const message =
      `Instance ${id} is being cancelled. The compensations of what it has done are run, and then it is cancelled: ` +
      `${offer.prefix}_status tells how far that is.`;
    return answer(message, { success: true, message });
  },
});
