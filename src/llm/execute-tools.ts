/** Executes what a model has asked for, each call as a step of its own. */
import type { ModelMessage } from "ai";
import { type ActivityContext, ActivityError, TerminalError, ValidationError, type WorkflowContext } from "../index.ts";
import { ToolNotFoundError } from "./errors.ts";
import { toolMessage } from "./messages.ts";
import { runStep, stepOf } from "./step.ts";
import type { AnyTool, ToolCall } from "./tool.ts";

/** How tool calls are executed. */
export interface ExecuteOptions {
  /** The step's name for a call. Default `tool_NAME`. */
  readonly stepName?: (call: ToolCall, index: number) => string;
  /** Executes tools that have no `execute` of their own. */
  readonly executor?: (call: ToolCall, ctx: ActivityContext) => unknown;
  /** What becomes of a call of a tool that is not there: an error, or an answer to the model. Default `throw`. */
  readonly onUnknown?: "throw" | "tell";
}

/**
 * Executes what a model has asked for, each call as a step of its own, all at once, and gives the messages that answer
 * the model, in the order of the calls. An error of a tool is such an answer, too: `Error: ...`.
 *
 * @throws ToolNotFoundError when one of the tools is not there; nothing is executed
 * @throws ValidationError when one of them can be executed by nobody
 * @example
 * const answers = await executeToolCalls(ctx, [search], response.toolCalls);
 */
export async function executeToolCalls(
  ctx: WorkflowContext,
  tools: readonly AnyTool[],
  calls: readonly ToolCall[],
  options: ExecuteOptions = {},
): Promise<ModelMessage[]> {
  const { executor, stepName = ({ name }) => `tool_${name}`, onUnknown = "throw" } = options;
  const executions = calls.map((call, index) => {
    const tool = tools.find(({ name }) => name === call.name);
    if (!tool) {
      const unknown = new ToolNotFoundError(call.name, tools.map(nameOf));
      if (onUnknown === "throw") throw unknown;
      return async () => errorMessage(call, unknown.message);
    }
    if (!tool.execute && !executor) {
      throw new ValidationError(`The tool ${call.name} has no \`execute\`, and there is no \`executor\` in its place.`);
    }
    return () => execute(ctx, tool, call, stepName(call, index), executor);
  });
  return Promise.all(executions.map((run) => run()));
}

async function execute(
  ctx: WorkflowContext,
  tool: AnyTool,
  call: ToolCall,
  stepName: string,
  executor: ExecuteOptions["executor"],
): Promise<ModelMessage> {
  try {
    const output = await runStep(ctx, stepOf(stepName, tool), call, async (activity) => {
      const input = await checkedInput(tool, call);
      if (tool.execute) return (await tool.execute(input as never, activity)) ?? null;
      return (await executor?.({ ...call, arguments: input }, activity)) ?? null;
    });
    return toolMessage(call, output);
  } catch (error) {
    if (!(error instanceof ActivityError)) throw error;
    return errorMessage(call, reasonOf(error));
  }
}

/** What the model wrote, as the schema gives it back. The same input would be refused again. */
async function checkedInput(tool: AnyTool, call: ToolCall): Promise<unknown> {
  const result = await tool.input["~standard"].validate(call.arguments);
  if (!result.issues) return result.value;
  const problems = result.issues.map(({ path = [], message }) => {
    const keys = path.map((segment) => String(typeof segment === "object" ? segment.key : segment));
    return keys.length === 0 ? message : `${keys.join(".")}: ${message}`;
  });
  throw new TerminalError(`The input of tool ${call.name} is not valid: ${problems.join("; ")}`);
}

function reasonOf({ cause, message }: ActivityError): string {
  return cause instanceof Error ? cause.message : message;
}

function errorMessage(call: ToolCall, reason: string): ModelMessage {
  return toolMessage(call, `Error: ${reason}`, { isError: true });
}

function nameOf({ name }: AnyTool): string {
  return name;
}
