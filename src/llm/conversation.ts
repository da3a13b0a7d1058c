/** What an agent knows: what it works with, and what was said. */
import type { ModelMessage } from "ai";
import { assistantMessage, systemMessage, userMessage } from "./messages.ts";

/** An `AgentContext` as plain data. */
export interface AgentContextData<Deps> {
  readonly deps: Deps;
  readonly messages: readonly ModelMessage[];
}

/**
 * A conversation. `toJSON` makes plain data of it, which can be returned, sent, and passed to `ctx.recur`; `fromJSON` makes
 * a conversation of that again.
 *
 * @example
 * return ctx.recur(conversation.toJSON());
 */
export class AgentContext<Deps = undefined> {
  /** What tools and prompts are made with. Plain data, if the conversation is to be stored. */
  readonly deps: Deps;
  readonly #messages: ModelMessage[];

  constructor(
    ...[deps, messages = []]: undefined extends Deps
      ? [deps?: Deps, messages?: readonly ModelMessage[]]
      : [deps: Deps, messages?: readonly ModelMessage[]]
  ) {
    this.deps = deps as Deps;
    this.#messages = [...messages];
  }

  static fromJSON<Deps>({ deps, messages }: AgentContextData<Deps>): AgentContext<Deps> {
    return new AgentContext<Deps>(...([deps, messages] as ConstructorParameters<typeof AgentContext<Deps>>));
  }

  /** What was said so far. */
  get messages(): readonly ModelMessage[] {
    return this.#messages;
  }

  add(...messages: readonly ModelMessage[]): void {
    this.#messages.push(...messages);
  }

  addUserMessage(text: string): void {
    this.add(userMessage(text));
  }

  addAssistantMessage(text: string): void {
    this.add(assistantMessage(text));
  }

  /** Adds it before all others. */
  addSystemMessage(text: string): void {
    this.#messages.unshift(systemMessage(text));
  }

  /** Keeps the first `length` messages, and forgets the others. */
  truncate(length: number): void {
    this.#messages.length = Math.min(length, this.#messages.length);
  }

  toJSON(): AgentContextData<Deps> {
    return { deps: this.deps, messages: [...this.#messages] };
  }
}
