/** What can be said of a call of a model, and on which level: app, then definition, then call. */
import type { JSONValue, ModelMessage, ToolChoice, ToolSet } from "ai";
import { type RetryPolicy, type Romancy, ValidationError, type WorkflowContext } from "../index.ts";
import type { ModelName } from "./errors.ts";
import type { DurableResponse } from "./response.ts";
import type { ModelObject } from "./sdk.ts";
import type { StepCompensation, StepSettings } from "./step-settings.ts";
import type { AnyTool } from "./tool.ts";

/** Which model is called, and how. A narrower level overrides fields of the wider ones. */
export interface ModelSettings extends StepSettings {
  /** `anthropic`, `openai`, `google`, or a name out of `providers`. Not needed when `model` says it. */
  readonly provider?: string;
  /** `"anthropic/claude-sonnet-4-5"`, the model's name alone when there is a `provider`, or a model of the AI SDK. */
  readonly model?: string | ModelObject;
  /** Instructions that go before the messages. */
  readonly systemMessage?: string;
  /** The most tokens of an answer. Default: the provider's. */
  readonly maxTokens?: number;
  readonly temperature?: number;
  readonly topP?: number;
  /** OpenAI ignores it. */
  readonly topK?: number;
  /** Anthropic ignores it. */
  readonly seed?: number;
  readonly stopSequences?: readonly string[];
  /** What the model may ask for. Nothing is executed by the call itself: see `executeToolCalls` and `DurableAgent`. */
  readonly tools?: readonly AnyTool[];
  /** Default `auto`: the model decides whether to ask for a tool. */
  readonly toolChoice?: ToolChoice<ToolSet>;
  /** Options that only one provider knows, by its name: `{ anthropic: { thinking: ... } }`. */
  readonly providerOptions?: Readonly<Record<string, { readonly [key: string]: JSONValue | undefined }>>;
}

/** What makes models of names; every provider of the AI SDK is one. */
export interface ModelProvider {
  languageModel(model: string): ModelObject;
}

/** For all calls of an app. */
export interface AppDefaults extends ModelSettings {
  /**
   * Providers by the name with which models are called, before the built-in ones: others, or the same with options.
   *
   * @example
   * setAppDefaults(app, { providers: { openai: createOpenAI({ baseURL: "https://llm.example/v1" }) } });
   */
  readonly providers?: Readonly<Record<string, ModelProvider>>;
}

/** What hooks and compensations see of a call. */
export interface CallRequest extends ModelName {
  readonly messages: readonly ModelMessage[];
}

/** For one call. */
export interface CallSettings extends ModelSettings {
  /** The operation's id instead of `name:n`; unique within the instance. */
  readonly id?: string;
  /** Undoes what was done because of the call, such as what was told of it. */
  readonly compensation?: StepCompensation<CallRequest, DurableResponse>;
}

const defaults = new WeakMap<object, AppDefaults>();

/**
 * Says what holds for all calls of an app, in place of what was said before. Workflows that run already see it with
 * their next call.
 *
 * @example
 * setAppDefaults(app, { model: "anthropic/claude-sonnet-4-5", maxTokens: 1024 });
 */
export function setAppDefaults(app: Romancy, settings: AppDefaults): void {
  defaults.set(app, settings);
}

/** Takes back what `setAppDefaults` said. */
export function clearAppDefaults(app: Romancy): void {
  defaults.delete(app);
}

/** What `setAppDefaults` said; empty when it was not called. */
export function getAppDefaults(app: Romancy): AppDefaults {
  return defaults.get(app) ?? {};
}

/** The defaults of the app in which a workflow runs. */
export function defaultsFor(ctx: WorkflowContext): AppDefaults {
  // Whatever else is given is refused when the activity is called.
  const app = ctx?.["~operations"]?.app;
  return (app && defaults.get(app)) ?? {};
}

/** The settings of several levels, the later ones winning field by field. */
export function mergeSettings<Settings extends ModelSettings>(...levels: readonly Settings[]): Settings {
  const merged: Record<string, unknown> = {};
  for (const level of levels) {
    // A model of a wider provider would be called by a wrong name.
    if (level.model !== undefined && level.provider === undefined && isWhole(level.model)) delete merged["provider"];
    const retry = mergeRetry(merged["retry"] as RetryPolicy | false | undefined, level.retry);
    for (const [key, value] of Object.entries({ ...level, retry })) if (value !== undefined) merged[key] = value;
  }
  return merged as Settings;
}

/** A policy, too, gives way field by field. */
function mergeRetry(
  wide: RetryPolicy | false | undefined,
  narrow: RetryPolicy | false | undefined,
): RetryPolicy | false | undefined {
  return wide && narrow ? { ...wide, ...narrow } : (narrow ?? wide);
}

/** Whether it says its provider itself. */
function isWhole(model: string | ModelObject): boolean {
  return typeof model !== "string" || model.includes("/");
}

/**
 * The name of the model that is meant.
 *
 * @throws ValidationError when no level has named a model, or its provider
 */
export function nameOf({ provider, model }: Pick<ModelSettings, "provider" | "model">): ModelName {
  if (model === undefined || model === "") {
    throw new ValidationError(
      'No model was given. Pass `model: "anthropic/claude-sonnet-4-5"`, or set one for the app with `setAppDefaults`.',
    );
  }
  if (typeof model !== "string") return { provider: model.provider, model: model.modelId };
  if (provider !== undefined) return { provider, model };
  const slash = model.indexOf("/");
  if (slash > 0 && slash < model.length - 1) return { provider: model.slice(0, slash), model: model.slice(slash + 1) };
  throw new ValidationError(
    `The model ${JSON.stringify(model)} has no provider. Write "anthropic/${model}" or the like, or give a \`provider\`.`,
  );
}
