/** What a call of a model gives: plain data, which can be stored and passed on. */
import type { FinishReason, ModelMessage } from "ai";
import { type Schema, ValidationError } from "../index.ts";
import type { ToolCall } from "./tool.ts";
import type { TokenUsage } from "./usage.ts";

export interface DurableResponse {
  /** Empty when the model only asked for tools. */
  readonly text: string;
  /** What the model thought, where the provider tells. */
  readonly reasoning?: string;
  /** The model that answered, by the name that the provider gives it. */
  readonly model: string;
  readonly provider: string;
  readonly usage: TokenUsage;
  /** What the model asks for; to be executed by `executeToolCalls`, and answered. */
  readonly toolCalls: readonly ToolCall[];
  /** `stop`, `length`, `tool-calls`, `content-filter`, `error` or `other`. */
  readonly finishReason: FinishReason;
  /** What fits the schema, when there was one. */
  readonly structured?: unknown;
  /** What the model has said, to be added to the conversation: with what providers need to go on from here. */
  readonly messages: readonly ModelMessage[];
}

/** Whether the model asks for tools. */
export function hasToolCalls(response: DurableResponse): boolean {
  return response.toolCalls.length > 0;
}

/**
 * The data of a response, or else its text read as JSON, checked by a schema.
 *
 * @throws ValidationError when it is none, or does not fit
 * @example
 * const { title } = await parseStructured(response, z.object({ title: z.string() }));
 */
export async function parseStructured<T>(response: DurableResponse, schema: Schema<T>): Promise<T> {
  const result = await schema["~standard"].validate(response.structured ?? readJson(response.text));
  if (!result.issues) return result.value;
  const problems = result.issues.map(({ message }) => message).join("; ");
  throw new ValidationError(`The model's answer does not fit the schema: ${problems}`, result.issues);
}

/** The JSON of a text, also of one in a Markdown fence, as models like to write it. */
function readJson(text: string): unknown {
  const [, fenced] = /^\s*```(?:json)?\s*\n(.*?)\n?```\s*$/s.exec(text) ?? [];
  try {
    return JSON.parse(fenced ?? text);
  } catch {
    throw new ValidationError("The model's answer is not JSON.");
  }
}
