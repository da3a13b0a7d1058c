/** Workflows as tools of the Model Context Protocol. */
import type { McpServer, McpServerFactory } from "@modelcontextprotocol/server";
import { type Duration, type Logger, type Romancy, toMilliseconds } from "../index.ts";
import { failureOf } from "./answers.ts";
import { cancelTool } from "./cancel-tool.ts";
import { createHttpDoor, type McpHttpOptions } from "./http.ts";
import { stderrLogger } from "./logger.ts";
import { checkOptions, type KnownKeys } from "./options.ts";
import type { Prompt } from "./prompts.ts";
import { resultTool } from "./result-tool.ts";
import { loadSdk } from "./sdk.ts";
import { startTool } from "./start-tool.ts";
import { statusTool } from "./status-tool.ts";
import { type StdioConnection, serveStdio } from "./stdio.ts";
import { offerTasks, type TaskOffer } from "./tasks.ts";
import type { Tool, ToolEnvironment } from "./tool.ts";
import { type ExposableWorkflow, type Offer, offersOf, type WorkflowTools } from "./workflow-tools.ts";

export interface WorkflowServerOptions {
  /** What clients call the server. */
  readonly name: string;
  readonly version: string;
  /** What is offered; each registered with the app, or known to one that works on the same database. */
  readonly workflows: readonly (ExposableWorkflow | WorkflowTools)[];
  /** What models are told of the server as a whole. */
  readonly instructions?: string;
  readonly prompts?: readonly Prompt[];
  /** The longest that a call of `_result` may wait. Default 50 seconds: many clients give up after 60. */
  readonly maxWait?: Duration;
  /** Whether clients that take tasks get each instance as a task. Default `true`. */
  readonly tasks?: boolean;
  readonly http?: McpHttpOptions;
  /** Called with the SDK's own server for each connection, or request, to add tools and resources that are no workflows. */
  readonly extend?: (server: McpServer) => void;
  /** Default: warnings and errors go to the error output. */
  readonly logger?: Logger;
}

const KNOWN: KnownKeys<WorkflowServerOptions> = {
  name: true,
  version: true,
  workflows: true,
  instructions: true,
  prompts: true,
  maxWait: true,
  tasks: true,
  http: true,
  extend: true,
  logger: true,
};

/** A server of workflows. It serves whoever comes, by either way, for as long as the app runs. */
export interface WorkflowServer {
  /** Serves the client that has started this process, by its standard input and output. */
  serveStdio(): Promise<StdioConnection>;
  /**
   * Answers the requests of clients by streamable HTTP; for `app.mount`, or any server that speaks the Web's standard.
   * Never rejects, and needs no `this`.
   */
  readonly fetch: (request: Request) => Promise<Response>;
  /** Ends what is open by HTTP; call it before `app.shutdown`. */
  close(): Promise<void>;
}

/**
 * Makes tools of workflows: for each one, tools that start an instance, tell how far it is, give its result, and cancel
 * it.
 *
 * @throws MissingPackageError without the package `@modelcontextprotocol/server`
 * @throws ValidationError, DuplicateNameError
 * @example
 * const mcp = await createMcpServer(app, { name: "orders", version: "1.0.0", workflows: [order] });
 * app.mount("/mcp", mcp.fetch);
 */
export async function createMcpServer(app: Romancy, options: WorkflowServerOptions): Promise<WorkflowServer> {
  checkOptions("createMcpServer", options, KNOWN);
  const { logger = stderrLogger, maxWait = "50s" } = options;
  const sdk = await loadSdk();
  const environment = { sdk, app, logger, maxWait: toMilliseconds(maxWait, "The maxWait of the MCP server") };
  const factory = serverFactory(environment, offersOf(options.workflows), options);
  const { fetch, close } = createHttpDoor(sdk, factory, options.http ?? {}, logger);
  return { serveStdio: () => serveStdio(factory, logger), fetch, close };
}

/** One of the SDK's servers for each connection, or for each request. */
function serverFactory(
  environment: ToolEnvironment,
  offers: readonly Offer[],
  { name, version, instructions, prompts = [], tasks: offersTasks = true, extend }: WorkflowServerOptions,
): McpServerFactory {
  const tasks = offersTasks ? offerTasks(environment, offers) : undefined;
  // Clients that speak the protocol's revisions of 2025 cannot take tasks.
  const tools = { legacy: toolsOf(environment, offers, undefined), modern: toolsOf(environment, offers, tasks) };
  // What is offered stays the same.
  const capabilities = {
    tools: { listChanged: false },
    ...(prompts.length > 0 && { prompts: { listChanged: false } }),
  };
  return ({ era }) => {
    const server = new environment.sdk.McpServer(
      { name, version },
      { capabilities, ...(instructions !== undefined && { instructions }) },
    );
    for (const tool of tools[era]) addTool(server, tool, environment.logger);
    if (era === "modern") tasks?.addTo(server);
    for (const prompt of prompts) prompt.addTo(server);
    extend?.(server);
    return server;
  };
}

function toolsOf(
  environment: ToolEnvironment,
  offers: readonly Offer[],
  tasks: TaskOffer | undefined,
): readonly Tool[] {
  const others = [statusTool, resultTool, cancelTool];
  return offers.flatMap((offer) => [
    startTool(offer, environment, tasks),
    ...others.map((make) => make(offer, environment)),
  ]);
}

function addTool(server: McpServer, tool: Tool, logger: Logger): void {
  const { name, description, annotations, inputSchema, outputSchema } = tool;
  const config = { description, annotations, inputSchema, ...(outputSchema && { outputSchema }) };
  server.registerTool(name, config, async (given, context) => {
    try {
      return await tool.run(given, context);
    } catch (error) {
      // To nobody: the client has cancelled the request, or is gone.
      context.mcpReq.signal.throwIfAborted();
      return failureOf(error, name, logger);
    }
  });
}
