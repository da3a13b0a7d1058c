/** Tools of the AI SDK whose execution is recorded. */
import { type ActivityContext, ActivityError, defineActivity, type WorkflowContext } from "../index.ts";
import { runStep } from "./step.ts";
import type { StepCompensation, StepSettings } from "./step-settings.ts";

/** What a compensation sees of an execution. */
export interface ToolRequest {
  /** What the model has asked for, as the tool's schema gives it back. */
  readonly input: unknown;
}

export interface DurableToolOptions extends StepSettings {
  /** What the operations are called: `tool_NAME:n`; without it `tool:n`. */
  readonly name?: string;
  /** Undoes an execution. */
  readonly compensation?: StepCompensation<ToolRequest, unknown>;
}

/** A tool of the AI SDK, of whatever input and output. */
interface SdkTool {
  readonly inputSchema: unknown;
}

/** What every tool of the AI SDK that can be executed has. */
type Execute = (input: unknown, options: { readonly abortSignal?: AbortSignal }) => unknown;

/**
 * A tool of the AI SDK whose every execution is an activity: recorded when it is done, and not done again on replay. It
 * is tried again by the activity's policy; when that is used up the model is told what went wrong. Of a tool that gives
 * several results the last one counts. A tool without `execute` is given back as it is.
 *
 * @example
 * const search = durableTool(ctx, tool({ description, inputSchema, execute }), { name: "search", timeout: "20s" });
 */
export function durableTool<T extends SdkTool>(ctx: WorkflowContext, tool: T, options: DurableToolOptions = {}): T {
  const { execute } = tool as { readonly execute?: Execute };
  if (!execute) return tool;
  const { name, ...step } = options;
  // Here and not when a model asks for the tool, which would be told of the mistake.
  defineActivity<[ToolRequest], unknown>(name ?? "tool", () => {}, step);
  const durable: Execute = async (input, given) => {
    const { abortSignal: _, ...rest } = given;
    try {
      return await runStep(
        ctx,
        { ...step, name: name === undefined ? "tool" : `tool_${name}` },
        { input },
        (activity) => lastOf(execute(input, { ...rest, abortSignal: activity.signal }), activity),
      );
    } catch (error) {
      // The model reads the message: what went wrong, not how often.
      throw error instanceof ActivityError && error.cause !== undefined ? error.cause : error;
    }
  };
  return { ...tool, execute: durable };
}

/**
 * The same for several tools, each by its own name.
 *
 * @example
 * const agent = new ToolLoopAgent({ model, tools: durableTools(ctx, { search, fetchPage }) });
 */
export function durableTools<Tools extends Readonly<Record<string, SdkTool>>>(
  ctx: WorkflowContext,
  tools: Tools,
  options: Omit<DurableToolOptions, "name"> = {},
): Tools {
  const entries = Object.entries(tools).map(([name, tool]) => [name, durableTool(ctx, tool, { ...options, name })]);
  return Object.fromEntries(entries) as Tools;
}

/** The AI SDK lets a tool give results one after another, each in place of the one before. */
async function lastOf(result: unknown, { signal }: ActivityContext): Promise<unknown> {
  if (typeof result !== "object" || result === null || !(Symbol.asyncIterator in result)) return await result;
  let last: unknown;
  for await (const one of result as AsyncIterable<unknown>) {
    signal.throwIfAborted();
    last = one;
  }
  return last;
}
