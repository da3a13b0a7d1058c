/** A model whose every call is recorded: what the AI SDK makes of it runs in workflows, and replays without a call. */
import { type ActivityContext, ValidationError, type WorkflowContext } from "../index.ts";
import { EVERY_URL, withDownloads } from "./downloads.ts";
import { loadModel } from "./providers.ts";
import type { ModelChunk, ModelObject, ModelRequest, ModelResult, ProviderModel } from "./sdk.ts";
import { defaultsFor, mergeSettings, nameOf } from "./settings.ts";
import { runModelStep, stepOf } from "./step.ts";
import type { StepCompensation, StepSettings } from "./step-settings.ts";
import { collectChunks, streamOf } from "./stream.ts";
import { usageOfResult, withUsage } from "./usage.ts";

export interface DurableModelOptions extends StepSettings {
  /** What the operations are called: `NAME_generate:n` and `NAME_stream:n`. Default `llm`. */
  readonly name?: string;
  /**
   * Given each piece of a streamed answer as it comes, before the answer is recorded; on replay nothing. It is called in
   * the activity: `activity.attempt` tells an answer that is begun anew. What it throws is logged; a promise is awaited.
   *
   * @example
   * onChunk: (chunk) => { if (chunk.type === "text-delta") socket.send(chunk.delta); }
   */
  readonly onChunk?: (chunk: ModelChunk, activity: ActivityContext) => void | Promise<void>;
  /** Undoes what was done because of a call. Its result is the provider's: of a stream, `{ chunks }`. */
  readonly compensation?: StepCompensation<ModelRequest, object>;
}

/**
 * A model of the AI SDK whose every call is an activity: recorded when it is answered, tried again by the activity's
 * policy, and answered from the record on replay. Give it to `generateText`, `streamText`, `ToolLoopAgent` and the like
 * in a workflow. A streamed answer reaches the workflow when it is whole; `onChunk` has its pieces as they come.
 *
 * @param model a name such as `"openai/gpt-5"`, or a model of the AI SDK; default: that of `setAppDefaults`
 * @throws ValidationError when no model, or no provider, is known
 *
 * Its calls reject with an `ActivityError` whose `cause` is a `ModelCallError`, and with a `ValidationError` when the AI
 * SDK was given an `abortSignal` or a `timeout`: those end a call at another point on replay. Use `timeout` here.
 *
 * @example
 * const model = durableModel(ctx, "anthropic/claude-sonnet-4-5", { timeout: "2m" });
 * const { text } = await generateText({ model, prompt: "What is durable execution?" });
 */
export function durableModel(
  ctx: WorkflowContext,
  model?: string | ModelObject,
  options: DurableModelOptions = {},
): ProviderModel {
  const { name = "llm", onChunk, compensation, ...settings } = options;
  const { providers, ...defaults } = defaultsFor(ctx);
  const merged = mergeSettings(defaults, { ...settings, ...(model !== undefined && { model }) });
  const names = nameOf(merged);
  const step = stepOf(name, { ...merged, ...(compensation !== undefined && { compensation }) });

  /** Makes one kind of call; the request that is shown to hooks is the one that the provider gets. */
  const call = <T extends object>(
    kind: string,
    request: ModelRequest,
    body: (inner: ProviderModel, request: ModelRequest, activity: ActivityContext) => Promise<Answer<T>>,
  ): Promise<T> => {
    if (request.abortSignal) return Promise.reject(notDurable());
    return runModelStep(ctx, { ...step, name: `${name}_${kind}` }, names, request, async (activity) => {
      const inner = await loadModel(merged.model, names, providers);
      const prompt = await withDownloads(request.prompt, inner, activity.signal);
      const { value, usage } = await body(inner, { ...request, prompt, abortSignal: activity.signal }, activity);
      return withUsage(value, usageOfResult(usage));
    });
  };

  return {
    specificationVersion: "v4",
    provider: names.provider,
    modelId: names.model,
    supportedUrls: EVERY_URL,
    doGenerate: (request) =>
      call("generate", request, async (inner, asked, activity) => {
        const value = recordOf(await inner.doGenerate(asked), names.model, activity);
        return { value, usage: value.usage };
      }),
    doStream: async (request) => {
      const { chunks } = await call("stream", request, async (inner, asked, activity) => {
        const { stream } = await inner.doStream(asked);
        return await collectChunks(stream, { name: names, activity, onChunk, isSensitive: merged.sensitive ?? false });
      });
      return { stream: streamOf(chunks) };
    },
  };
}

interface Answer<T> {
  readonly value: T;
  readonly usage: ModelResult["usage"];
}

/** Without what was sent and how it came: it would be most of the record, and hold the prompt. */
function recordOf(result: ModelResult, model: string, { idempotencyKey }: ActivityContext): ModelResult {
  const { content, finishReason, usage, warnings, providerMetadata, structuredOutputText, response } = result;
  return {
    content,
    finishReason,
    usage,
    warnings,
    ...(providerMetadata && { providerMetadata }),
    ...(structuredOutputText !== undefined && { structuredOutputText }),
    // Given here, or the AI SDK would make up others at each replay.
    response: {
      id: response?.id ?? idempotencyKey,
      timestamp: response?.timestamp ?? new Date(),
      modelId: response?.modelId ?? model,
    },
  };
}

function notDurable(): ValidationError {
  return new ValidationError(
    "A durable model was called with an `abortSignal` or a `timeout` of the AI SDK. They end a call by a clock that replay " +
      "does not have. Leave them out, and give `timeout` to `durableModel`: it limits each attempt.",
  );
}
