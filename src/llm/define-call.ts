/** Calls of models that are defined once and made in many places. */
import type { ModelMessage } from "ai";
import { defineActivity, type Schema, type WorkflowContext } from "../index.ts";
import { callModel, parseModel } from "./call.ts";
import { userMessage } from "./messages.ts";
import type { DurableResponse } from "./response.ts";
import type { CallSettings, ModelSettings } from "./settings.ts";

/** A defined call. Call it with a workflow's context to make it durably. */
export interface DurableCall {
  /** By a prompt, for text, as `NAME:n`. */
  (ctx: WorkflowContext, prompt: string, settings?: CallSettings): Promise<DurableResponse>;
  readonly name: string;
  readonly settings: ModelSettings;
  /** By a prompt, for data that fits a schema, as `NAME_parse:n`. */
  parse<T>(ctx: WorkflowContext, prompt: string, schema: Schema<T>, settings?: CallSettings): Promise<T>;
  /** By messages, for text, as `NAME_messages:n`. */
  messages(ctx: WorkflowContext, messages: readonly ModelMessage[], settings?: CallSettings): Promise<DurableResponse>;
  /** By messages, for data that fits a schema, as `NAME_messages_parse:n`. */
  messagesParse<T>(
    ctx: WorkflowContext,
    messages: readonly ModelMessage[],
    schema: Schema<T>,
    settings?: CallSettings,
  ): Promise<T>;
}

/**
 * Defines a call of a model. Its settings override the app's, and those of one call override them.
 *
 * @param name part of the history, so changing it is a change of the workflow
 * @throws ValidationError when the name, `retry` or `timeout` is not what it must be
 * @example
 * const summarise = defineDurableCall("summarise", { model: "openai/gpt-5", systemMessage: "Summarise in a sentence." });
 * const { text } = await summarise(ctx, article);
 */
export function defineDurableCall(name: string, settings: ModelSettings = {}): DurableCall {
  checkDefinition(name, settings);
  const call = (ctx: WorkflowContext, prompt: string, given: CallSettings = {}): Promise<DurableResponse> =>
    callModel(ctx, name, [userMessage(prompt)], settings, given);
  const more: Omit<DurableCall, "name"> = Object.assign(call, {
    settings,
    parse: <T>(ctx: WorkflowContext, prompt: string, schema: Schema<T>, given: CallSettings = {}): Promise<T> =>
      parseModel(ctx, `${name}_parse`, [userMessage(prompt)], schema, settings, given),
    messages: (ctx: WorkflowContext, messages: readonly ModelMessage[], given: CallSettings = {}) =>
      callModel(ctx, `${name}_messages`, messages, settings, given),
    messagesParse: <T>(
      ctx: WorkflowContext,
      messages: readonly ModelMessage[],
      schema: Schema<T>,
      given: CallSettings = {},
    ): Promise<T> => parseModel(ctx, `${name}_messages_parse`, messages, schema, settings, given),
  });
  return Object.defineProperty(more, "name", { value: name }) as DurableCall;
}

/** Here and not at the first call, so that a mistake shows when the program starts: an activity is checked the same way. */
export function checkDefinition(name: string, { retry, timeout }: ModelSettings): void {
  defineActivity(name, () => {}, {
    ...(retry !== undefined && { retry }),
    ...(timeout !== undefined && { timeout }),
  });
}
