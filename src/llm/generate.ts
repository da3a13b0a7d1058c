/** One call of a model by the AI SDK: the body of an activity. */
import type { GenerateTextResult, ModelMessage, ToolSet } from "ai";
import { type ActivityContext, type Schema, ValidationError } from "../index.ts";
import type { ModelName } from "./errors.ts";
import { loadModel } from "./providers.ts";
import type { DurableResponse } from "./response.ts";
import { loadSdk } from "./sdk.ts";
import type { AppDefaults, ModelSettings } from "./settings.ts";
import { toolSetOf } from "./tool.ts";
import { type TokenUsage, usageOfSdk } from "./usage.ts";

interface Generation {
  readonly model: ModelName;
  readonly settings: ModelSettings;
  readonly providers: AppDefaults["providers"];
  readonly messages: readonly ModelMessage[];
  readonly schema: Schema<unknown> | undefined;
  readonly activity: ActivityContext;
}

/** Asks the model once; whether to ask again is the activity's policy. */
export async function generate(generation: Generation): Promise<{ response: DurableResponse; usage: TokenUsage }> {
  const { model, settings, providers, messages, schema, activity } = generation;
  const sdk = await loadSdk();
  if (schema) await checkSendable(sdk, schema, "The schema of the answer");
  for (const { name, input } of settings.tools ?? []) await checkSendable(sdk, input, `The input of tool ${name}`);
  const result = await sdk.generateText({
    ...optionsOf(settings),
    model: await loadModel(settings.model, model, providers),
    messages: [...messages],
    allowSystemInMessages: true,
    maxRetries: 0,
    abortSignal: activity.signal,
    ...(schema && { output: sdk.Output.object({ schema }) }),
  });
  const usage = usageOfSdk(result.usage);
  const structured = schema && { structured: result.output };
  return { usage, response: { ...responseOf(result, model, usage), ...structured } };
}

/** A schema that cannot be sent will not be sent the next time: said here, for the AI SDK throws a bare error. */
async function checkSendable({ asSchema }: typeof import("ai"), schema: Schema<unknown>, what: string): Promise<void> {
  try {
    await asSchema(schema).jsonSchema;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ValidationError(`${what} cannot be made into JSON Schema, which providers need: ${reason}`);
  }
}

/** What the AI SDK calls otherwise. */
function optionsOf(settings: ModelSettings): object {
  const { systemMessage, maxTokens, temperature, topP, topK, seed, stopSequences } = settings;
  const { tools, toolChoice, providerOptions, sensitive } = settings;
  const options = {
    instructions: systemMessage,
    maxOutputTokens: maxTokens,
    temperature,
    topP,
    topK,
    seed,
    stopSequences,
    providerOptions,
    ...(tools && tools.length > 0 && { tools: toolSetOf(tools), toolChoice }),
    ...(sensitive && { telemetry: { recordInputs: false, recordOutputs: false } }),
  };
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

type Result = Pick<
  GenerateTextResult<ToolSet, Record<string, unknown>, never>,
  "text" | "reasoningText" | "toolCalls" | "finishReason" | "responseMessages" | "response"
>;

function responseOf(result: Result, { provider }: ModelName, usage: TokenUsage): DurableResponse {
  const { text, reasoningText, toolCalls, finishReason, responseMessages, response } = result;
  return {
    text,
    ...(reasoningText !== undefined && { reasoning: reasoningText }),
    model: response.modelId,
    provider,
    usage,
    toolCalls: toolCalls
      .filter(({ providerExecuted }) => !providerExecuted)
      .map(({ toolCallId, toolName, input }) => ({ id: toolCallId, name: toolName, arguments: input as unknown })),
    finishReason,
    // Of a tool call that the AI SDK finds invalid it adds an answer of its own; all answers are given by us.
    messages: responseMessages.filter(({ role }) => role === "assistant"),
  };
}
