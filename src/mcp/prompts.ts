/** Prompts, which people pick in their client to begin with. */
import type { GetPromptResult, McpServer, PromptMessage, StandardSchemaWithJSON } from "@modelcontextprotocol/server";
import type { Schema } from "../index.ts";

/** A prompt that was defined. */
export interface Prompt {
  readonly name: string;
  /** Shows it to the clients of a server. */
  readonly addTo: (server: McpServer) => void;
}

export interface PromptOptions<Arguments> {
  readonly title?: string;
  readonly description?: string;
  /** An object of texts, in a library that gives JSON Schema, such as zod from 4.2 on. Default: no arguments. */
  readonly input?: Schema<Arguments>;
}

/**
 * Defines a prompt.
 *
 * @param render gives one message of the user, or all messages
 * @example
 * definePrompt("reorder", ({ orderId }) => `Look at order ${orderId} and order the same again.`, {
 *   input: z.object({ orderId: z.string() }),
 * });
 */
export function definePrompt<Arguments = object>(
  name: string,
  render: (given: Arguments) => string | readonly PromptMessage[],
  { input, ...shown }: PromptOptions<Arguments> = {},
): Prompt {
  return {
    name,
    addTo(server) {
      if (!input) {
        server.registerPrompt(name, shown, () => messagesOf(render({} as Arguments)));
        return;
      }
      const argsSchema = input as unknown as StandardSchemaWithJSON<unknown, Arguments>;
      server.registerPrompt(name, { ...shown, argsSchema }, (given: Arguments) => messagesOf(render(given)));
    },
  };
}

function messagesOf(rendered: string | readonly PromptMessage[]): GetPromptResult {
  if (typeof rendered !== "string") return { messages: [...rendered] };
  return { messages: [{ role: "user", content: { type: "text", text: rendered } }] };
}
