import { answer, failure } from "./answers.ts";
import { countActivities, pollInterval, progressText } from "./instances.ts";
import { toJson } from "./json.ts";
import { type Outcome, outcomeOf } from "./outcome.ts";
import { progressTeller } from "./progress.ts";
import type { ToolResult } from "./sdk.ts";
import { INSTANCE_ID, type InstanceArguments, objectSchema, type ToolMaker } from "./tool.ts";

const OUTPUT = {
  instance_id: INSTANCE_ID,
  status: { type: "string" },
  output: { description: "What the workflow has returned." },
  error: { type: "object", description: "Why it has failed, when it has." },
};

/** Gives what an instance has returned, and may wait for it. */
export const resultTool: ToolMaker = (offer, environment) => {
  const { app, sdk, maxWait } = environment;
  const waitSeconds = {
    type: "number",
    minimum: 0,
    maximum: maxWait / 1_000,
    description: "How long to wait for the end, in seconds. Default: not at all.",
  };
  return {
    name: `${offer.prefix}_result`,
    description: offer.describe("result"),
    inputSchema: objectSchema(sdk, { instance_id: INSTANCE_ID, wait_seconds: waitSeconds }, ["instance_id"]),
    outputSchema: objectSchema(sdk, OUTPUT, ["instance_id", "status"]),
    annotations: { readOnlyHint: true },
    async run(given, context) {
      const { instance_id: id, wait_seconds = 0 } = given as unknown as InstanceArguments & { wait_seconds?: number };
      const tell = progressTeller(app, offer.workflow.name, id, context);
      const waiting = { timeout: wait_seconds * 1_000, signal: context.mcpReq.signal, onPause: tell };
      const outcome = await outcomeOf(app, offer.workflow, id, waiting);
      if (outcome.kind !== "unfinished") return endResult(id, outcome);
      const { description } = outcome;
      const progress = progressText({ description, completedActivities: await countActivities(app, id) });
      const seconds = pollInterval(description) / 1_000;
      return failure(
        `Instance ${id} has no result yet: it is ${progress}. Ask again in ${seconds} seconds, or with wait_seconds, of ` +
          `at most ${maxWait / 1_000}.`,
        { instance_id: id, status: description.status },
      );
    },
  };
};

/** What came of an instance that has ended. */
export function endResult(id: string, outcome: Exclude<Outcome, { kind: "unfinished" }>): ToolResult {
  if (outcome.kind === "completed") {
    const output = toJson(outcome.output);
    return answer(JSON.stringify(output), { instance_id: id, status: "completed", output });
  }
  const { kind, error } = outcome;
  const { name, message } = error.cause instanceof Error ? error.cause : error;
  const failures = error.compensationErrors.map((one) => one.message);
  const said = kind === "failed" ? `Instance ${id} has failed: ${message}` : message;
  return failure(
    [said, ...failures, "It does not go on by itself: start another instance where that helps."].join("\n"),
    {
      instance_id: id,
      status: kind,
      error: { name, message, ...(failures.length > 0 && { compensation_errors: failures }) },
    },
  );
}
