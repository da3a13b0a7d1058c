/** The four ways to call a model: by a prompt or by messages, for text or for data that fits a schema. */
import type { ModelMessage } from "ai";
import { type ActivityContext, type Schema, ValidationError, type WorkflowContext } from "../index.ts";
import { generate } from "./generate.ts";
import { userMessage } from "./messages.ts";
import type { DurableResponse } from "./response.ts";
import {
  type AppDefaults,
  type CallRequest,
  type CallSettings,
  defaultsFor,
  mergeSettings,
  nameOf,
} from "./settings.ts";
import { runModelStep, stepOf } from "./step.ts";
import { withUsage } from "./usage.ts";

/**
 * Calls a model with a prompt, durably, as `llm_call:n`.
 *
 * @throws ActivityError when the call has failed for good; its `cause` is a `ModelCallError`
 * @throws ValidationError when no model is known
 * @example
 * const { text } = await call(ctx, "Summarise: ...", { model: "anthropic/claude-sonnet-4-5", maxTokens: 500 });
 */
export async function call(
  ctx: WorkflowContext,
  prompt: string,
  settings: CallSettings = {},
): Promise<DurableResponse> {
  return callModel(ctx, "llm_call", [userMessage(prompt)], settings);
}

/**
 * Calls a model for data that fits a schema, as `llm_call_parse:n`. The schema is sent to the provider, and what comes
 * back is checked; an answer that does not fit is a failed attempt.
 *
 * @param schema any Standard Schema of an object that can be made into JSON Schema, such as one of zod 4
 * @throws ActivityError when it has failed for good; its `cause` is a `ModelCallError` or a `ModelOutputError`
 * @example
 * const { title } = await callParse(ctx, text, z.object({ title: z.string() }));
 */
export async function callParse<T>(
  ctx: WorkflowContext,
  prompt: string,
  schema: Schema<T>,
  settings: CallSettings = {},
): Promise<T> {
  return parseModel(ctx, "llm_call_parse", [userMessage(prompt)], schema, settings);
}

/** The same as `call` with a conversation instead of a prompt, as `llm_call_messages:n`. */
export async function callMessages(
  ctx: WorkflowContext,
  messages: readonly ModelMessage[],
  settings: CallSettings = {},
): Promise<DurableResponse> {
  return callModel(ctx, "llm_call_messages", messages, settings);
}

/** The same as `callParse` with a conversation instead of a prompt, as `llm_call_messages_parse:n`. */
export async function callMessagesParse<T>(
  ctx: WorkflowContext,
  messages: readonly ModelMessage[],
  schema: Schema<T>,
  settings: CallSettings = {},
): Promise<T> {
  return parseModel(ctx, "llm_call_messages_parse", messages, schema, settings);
}

/** One call by whatever name, with the settings of its levels but the app's. */
export async function callModel(
  ctx: WorkflowContext,
  name: string,
  messages: readonly ModelMessage[],
  ...levels: readonly CallSettings[]
): Promise<DurableResponse> {
  return run(ctx, name, messages, undefined, levels);
}

/** The same for data that fits a schema. */
export async function parseModel<T>(
  ctx: WorkflowContext,
  name: string,
  messages: readonly ModelMessage[],
  schema: Schema<T>,
  ...levels: readonly CallSettings[]
): Promise<T> {
  const { structured } = await run(ctx, name, messages, schema, levels);
  return structured as T;
}

async function run(
  ctx: WorkflowContext,
  name: string,
  messages: readonly ModelMessage[],
  schema: Schema<unknown> | undefined,
  levels: readonly CallSettings[],
): Promise<DurableResponse> {
  if (messages.length === 0) throw new ValidationError("A model was called without a message.");
  const { providers, ...settings }: AppDefaults & CallSettings = mergeSettings(defaultsFor(ctx), ...levels);
  const model = nameOf(settings);
  const request: CallRequest = { ...model, messages };
  // The conversation may be added to while the call waits for its next attempt.
  const asked = [...messages];
  return runModelStep(ctx, stepOf(name, settings), model, request, async (activity: ActivityContext) => {
    const { response, usage } = await generate({ model, settings, providers, messages: asked, schema, activity });
    return withUsage(response, usage);
  });
}
