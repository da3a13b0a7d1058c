/**
 * Workflows as tasks: the extension `io.modelcontextprotocol/tasks` of the protocol's revision 2026-07-28. A task is an
 * instance, by the same id, so that it survives both the server and the client.
 */
import type { McpServer } from "@modelcontextprotocol/server";
import {
  type InstanceDescription,
  InstanceNotCancellableError,
  InstanceNotFoundError,
  type Romancy,
} from "../index.ts";
import { messageOf } from "./answers.ts";
import { countActivities, pollInterval, progressText } from "./instances.ts";
import { outcomeOf } from "./outcome.ts";
import { endResult } from "./result-tool.ts";
import type { ToolContext, ToolResult } from "./sdk.ts";
import type { ToolEnvironment } from "./tool.ts";
import type { Offer } from "./workflow-tools.ts";

const EXTENSION = "io.modelcontextprotocol/tasks";

/** What the tools that start workflows need of this. */
export interface TaskOffer {
  /** Whether the client of this request takes tasks. */
  isWantedBy(context: ToolContext): boolean;
  /** The answer to who has started one. */
  created(id: string): Promise<ToolResult>;
  /** Has a server answer for tasks. */
  addTo(server: McpServer): void;
}

/** What a client says, with each request, that it can do. */
interface Capabilities {
  readonly extensions?: object;
}

type Task = Readonly<Record<string, unknown>>;

type Act = (offer: Offer, description: InstanceDescription, context: ToolContext) => Promise<Task>;

export function offerTasks({ sdk, app, logger }: ToolEnvironment, offers: readonly Offer[]): TaskOffer {
  const params = sdk.fromJsonSchema<{ taskId: string }>({
    type: "object",
    properties: { taskId: { type: "string" } },
    required: ["taskId"],
  });

  function isWantedBy({ mcpReq }: ToolContext): boolean {
    const envelope: Readonly<Record<string, Capabilities | undefined>> = { ...mcpReq.envelope };
    const { extensions = {} } = envelope[sdk.CLIENT_CAPABILITIES_META_KEY] ?? {};
    return Object.hasOwn(extensions, EXTENSION);
  }

  /** What is asked for: the task's workflow is one of those that are offered. */
  async function find(taskId: string, context: ToolContext): Promise<[Offer, InstanceDescription]> {
    if (!isWantedBy(context)) {
      const requiredCapabilities = { extensions: { [EXTENSION]: {} } };
      throw new sdk.MissingRequiredClientCapabilityError({ requiredCapabilities });
    }
    const description = await app.getInstance(taskId).catch((error: unknown) => {
      if (!(error instanceof InstanceNotFoundError)) throw error;
    });
    const offer = offers.find(({ workflow }) => workflow.name === description?.workflow);
    if (description && offer) return [offer, description];
    throw new sdk.ProtocolError(sdk.ProtocolErrorCode.InvalidParams, `There is no task ${taskId}. Check its id.`);
  }

  /** @param act what is done with the task; what others threw is nothing for clients, the log has it */
  function handle({ server }: McpServer, method: string, act: Act): void {
    server.setRequestHandler(method, { params }, async ({ taskId }, context) => {
      try {
        return await act(...(await find(taskId, context)), context);
      } catch (error) {
        if (error instanceof sdk.ProtocolError) throw error;
        logger.error(`The request ${method} failed.`, { error: messageOf(error), cause: error });
        throw new sdk.ProtocolError(sdk.ProtocolErrorCode.InternalError, "The request could not be handled.");
      }
    });
  }

  return {
    isWantedBy,
    addTo(server) {
      server.server.registerCapabilities({ extensions: { [EXTENSION]: {} } });
      handle(server, "tasks/get", (offer, description, { mcpReq }) => taskOf(app, offer, description, mcpReq.signal));
      // No task asks the client for anything.
      handle(server, "tasks/update", async () => ({}));
      handle(server, "tasks/cancel", async (_offer, { id }) => {
        await app.cancel(id, "The client has cancelled the task.").catch((error: unknown) => {
          // It has ended, which is as good.
          if (!(error instanceof InstanceNotCancellableError)) throw error;
        });
        return {};
      });
    },
    async created(id) {
      const task = working(await app.getInstance(id), "The workflow is started.");
      return { resultType: "task", ...task } as unknown as ToolResult;
    },
  };
}

async function taskOf(
  app: Romancy,
  { workflow }: Offer,
  description: InstanceDescription,
  signal: AbortSignal,
): Promise<Task> {
  const { id } = description;
  const outcome = await outcomeOf(app, workflow, id, { timeout: 0, signal, onPause: async () => {} });
  switch (outcome.kind) {
    case "unfinished": {
      const completedActivities = await countActivities(app, id);
      return working(outcome.description, progressText({ description: outcome.description, completedActivities }));
    }
    case "cancelled":
      return { ...times(description), status: "cancelled", statusMessage: outcome.error.message };
    // A workflow that has failed is a tool's failure, not one of the protocol.
    case "completed":
    case "failed":
      return {
        ...times(description),
        status: "completed",
        result: { resultType: "complete", ...endResult(id, outcome) },
      };
  }
}

function working(description: InstanceDescription, statusMessage: string): Task {
  return { ...times(description), status: "working", statusMessage, pollIntervalMs: pollInterval(description) };
}

/** Instances are kept until somebody removes them, so that a task has no time to live. */
function times({ id, createdAt, updatedAt }: InstanceDescription): Task {
  return { taskId: id, createdAt: createdAt.toISOString(), lastUpdatedAt: updatedAt.toISOString(), ttlMs: null };
}
