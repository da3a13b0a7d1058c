/** Tools that are defined by a schema and executed as steps of their own. */
import type { ModelMessage, ToolSet } from "ai";
import {
  type ActivityContext,
  ActivityError,
  type Schema,
  TerminalError,
  ValidationError,
  type WorkflowContext,
} from "../index.ts";
import { ToolNotFoundError } from "./errors.ts";
import { toolMessage } from "./messages.ts";
import type { StepCompensation, StepSettings } from "./settings.ts";
import { runStep, stepOf } from "./step.ts";

/** What a tool is. */
export interface ToolOptions<Input, Output> extends StepSettings {
  /** Tells the model what the tool does, and when to use it. */
  readonly description: string;
  /** What the tool is given; any Standard Schema that can be made into JSON Schema, such as one of zod 4. */
  readonly input: Schema<Input>;
  /** Does the work, as an activity. Without it the tool can be asked for, and your workflow answers. */
  readonly execute?: (input: Input, ctx: ActivityContext) => Output | Promise<Output>;
  /** Undoes an execution; see `ActivityOptions`. */
  readonly compensation?: StepCompensation;
}

/** A tool that a model may ask for. */
export interface LlmTool<Input, Output> extends ToolOptions<Input, Output> {
  readonly name: string;
}

/** A tool of whatever input and output. */
export interface AnyTool extends Omit<LlmTool<never, unknown>, "input"> {
  readonly input: Schema<unknown>;
}

/** A tool that the model asks for. */
export interface ToolCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: unknown;
}

/**
 * Defines a tool.
 *
 * @param name letters, digits, `_` and `-`: what providers allow
 * @throws ValidationError for another name
 * @example
 * const search = defineTool("search", {
 *   description: "Searches the archive.",
 *   input: z.object({ words: z.string() }),
 *   execute: ({ words }) => archive.search(words),
 * });
 */
export function defineTool<Input, Output>(name: string, options: ToolOptions<Input, Output>): LlmTool<Input, Output> {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(name)) {
    throw new ValidationError(
      `The tool ${JSON.stringify(name)} must be named by 1 to 64 letters, digits, "_" and "-".`,
    );
  }
  return { ...options, name };
}

/** The tools as the AI SDK takes them; nothing is executed by it. */
export function toolSetOf(tools: readonly AnyTool[]): ToolSet {
  const entries = tools.map(({ name, description, input }) => [name, { description, inputSchema: input }]);
  return Object.fromEntries(entries) as ToolSet;
}

/** How tool calls are executed. */
export interface ExecuteOptions {
  /** The step's name for a call. Default `tool_NAME`. */
  readonly stepName?: (call: ToolCall, index: number) => string;
  /** Executes tools that have no `execute` of their own. */
  readonly executor?: (call: ToolCall, ctx: ActivityContext) => unknown;
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
  const { executor, stepName = ({ name }) => `tool_${name}` } = options;
  const executions = calls.map((call, index) => {
    const tool = tools.find(({ name }) => name === call.name);
    const known = tools.map(({ name }) => name);
    if (!tool) throw new ToolNotFoundError(call.name, known);
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
    return toolMessage(call, `Error: ${reasonOf(error)}`, { isError: true });
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
