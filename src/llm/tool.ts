/** Tools that are defined by a schema. */
import type { ToolSet } from "ai";
import { type ActivityContext, type Schema, ValidationError } from "../index.ts";
import type { StepCompensation, StepSettings } from "./step-settings.ts";

/** What a tool is. */
export interface ToolOptions<Input, Output> extends StepSettings {
  /** Tells the model what the tool does, and when to use it. */
  readonly description: string;
  /** What the tool is given; any Standard Schema that can be made into JSON Schema, such as one of zod 4. */
  readonly input: Schema<Input>;
  /** Does the work, as an activity. Without it the tool can be asked for, and your workflow answers. */
  readonly execute?: (input: Input, ctx: ActivityContext) => Output | Promise<Output>;
  /** Undoes an execution; `ctx.result` is what it gave. */
  readonly compensation?: StepCompensation<ToolCall, NoInfer<Output>>;
}

/** A tool that a model may ask for. */
export interface LlmTool<Input, Output> extends ToolOptions<Input, Output> {
  readonly name: string;
}

/** A tool of whatever input and output. */
export interface AnyTool extends Omit<LlmTool<never, unknown>, "input" | "compensation"> {
  readonly input: Schema<unknown>;
  readonly compensation?: StepCompensation<ToolCall, never>;
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
