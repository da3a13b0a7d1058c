/** Agents: conversations with a model that remember what was said, and let it use tools. */
import type { ModelMessage } from "ai";
import { type ActivityContext, ValidationError, type WorkflowContext } from "../index.ts";
import { callModel } from "./call.ts";
import type { AgentContext } from "./conversation.ts";
import { checkDefinition } from "./define-call.ts";
import { executeToolCalls } from "./execute-tools.ts";
import { userMessage } from "./messages.ts";
import { type DurableResponse, hasToolCalls } from "./response.ts";
import type { CallSettings, ModelSettings } from "./settings.ts";
import type { AnyTool, ToolCall } from "./tool.ts";

export interface AgentOptions<Deps> extends Omit<ModelSettings, "tools"> {
  /**
   * What the model is asked, made of the conversation, whose last message is the new one. Default: all of it.
   *
   * @example
   * buildPrompt: ({ deps, messages }) => [systemMessage(`You help ${deps.customer}.`), ...messages.slice(-20)]
   */
  readonly buildPrompt?: (conversation: AgentContext<Deps>) => readonly ModelMessage[];
  /** The tools that the model may ask for: always the same, or made of the conversation's dependencies. */
  readonly tools?: readonly AnyTool[] | ((conversation: AgentContext<Deps>) => readonly AnyTool[]);
}

export interface ToolLoopOptions extends Omit<CallSettings, "tools" | "id"> {
  /**
   * How often the model may ask for tools. After that it is called a last time and must answer without them. A whole
   * number of 1 or more. Default 10.
   */
  readonly maxIterations?: number;
  /** Executes tools that have no `execute` of their own, as an activity. */
  readonly executor?: (call: ToolCall, ctx: ActivityContext) => unknown;
}

const DEFAULT_ITERATIONS = 10;

/**
 * A model with instructions, tools and a memory. The agent itself knows nothing: what was said is in the `AgentContext`,
 * which the workflow's code makes and which is the same again on replay.
 *
 * @example
 * const support = new DurableAgent("support", {
 *   model: "anthropic/claude-sonnet-4-5",
 *   tools: ({ deps }: AgentContext<{ customer: string }>) => [ordersOf(deps.customer)],
 * });
 * const conversation = new AgentContext({ customer: "c-7" });
 * const { text } = await support.chatWithToolLoop(ctx, conversation, "Where is my order?");
 */
export class DurableAgent<Deps = unknown> {
  readonly name: string;
  readonly #settings: ModelSettings;
  readonly #buildPrompt: (conversation: AgentContext<Deps>) => readonly ModelMessage[];
  readonly #toolsFor: (conversation: AgentContext<Deps>) => readonly AnyTool[];

  /**
   * @param name part of the history: calls are `NAME_chat:n`, `NAME_tool_TOOL_INDEX:n` and `NAME_tool_continue:n`
   * @throws ValidationError when the name, `retry` or `timeout` is not what it must be
   */
  constructor(name: string, options: AgentOptions<Deps> = {}) {
    const { buildPrompt, tools = [], ...settings } = options;
    checkDefinition(name, settings);
    this.name = name;
    this.#settings = settings;
    this.#buildPrompt = buildPrompt ?? (({ messages }) => messages);
    this.#toolsFor = typeof tools === "function" ? tools : () => tools;
  }

  /**
   * Says something to the model, and adds both that and the answer to the conversation. When the answer asks for tools,
   * it is for you to answer that: see `executeToolCalls`.
   *
   * @throws ActivityError when the call has failed for good; the conversation is then what it was before
   */
  async chat(
    ctx: WorkflowContext,
    conversation: AgentContext<Deps>,
    message: string | ModelMessage,
    settings: CallSettings = {},
  ): Promise<DurableResponse> {
    return this.#whole(conversation, async () => {
      conversation.add(typeof message === "string" ? userMessage(message) : message);
      return await this.#ask(ctx, conversation, "chat", settings);
    });
  }

  /**
   * The same, and executes the tools that the model asks for, until it asks for no more. Each execution is a step of its
   * own; an error of a tool is told to the model.
   *
   * @throws ActivityError when a call of the model has failed for good; the conversation is then what it was before
   */
  async chatWithToolLoop(
    ctx: WorkflowContext,
    conversation: AgentContext<Deps>,
    message: string | ModelMessage,
    options: ToolLoopOptions = {},
  ): Promise<DurableResponse> {
    const { maxIterations = DEFAULT_ITERATIONS, executor, ...settings } = options;
    if (!Number.isInteger(maxIterations) || maxIterations < 1) {
      throw new ValidationError(`maxIterations is ${String(maxIterations)}; it must be a whole number of 1 or more.`);
    }
    return this.#whole(conversation, async () => {
      let response = await this.chat(ctx, conversation, message, settings);
      for (let iteration = 1; hasToolCalls(response) && iteration <= maxIterations; iteration++) {
        const answers = await executeToolCalls(ctx, this.#toolsFor(conversation), response.toolCalls, {
          stepName: (call, index) => `${this.name}_tool_${call.name}_${index}`,
          // The model is in error, and can be told so.
          onUnknown: "tell",
          ...(executor && { executor }),
        });
        conversation.add(...answers);
        const last: CallSettings = iteration === maxIterations ? { ...settings, toolChoice: "none" } : settings;
        response = await this.#ask(ctx, conversation, "tool_continue", last);
      }
      return response;
    });
  }

  /** Either all that is said is added to the conversation, or nothing: a half of it no provider would take. */
  async #whole<T>(conversation: AgentContext<Deps>, talk: () => Promise<T>): Promise<T> {
    const before = conversation.messages.length;
    try {
      return await talk();
    } catch (error) {
      conversation.truncate(before);
      throw error;
    }
  }

  /** Calls the model with the conversation as it is, and adds what it says. */
  async #ask(
    ctx: WorkflowContext,
    conversation: AgentContext<Deps>,
    step: string,
    settings: CallSettings,
  ): Promise<DurableResponse> {
    const tools = this.#toolsFor(conversation);
    const prompt = this.#buildPrompt(conversation);
    const response = await callModel(ctx, `${this.name}_${step}`, prompt, { ...this.#settings, tools }, settings);
    conversation.add(...response.messages);
    return response;
  }
}
