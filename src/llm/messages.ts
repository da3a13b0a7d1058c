/** Messages of a conversation, in the form of the AI SDK. They are plain data: they can be stored, and passed to `recur`. */
import type {
  AssistantModelMessage,
  JSONValue,
  ModelMessage,
  SystemModelMessage,
  ToolModelMessage,
  UserContent,
  UserModelMessage,
} from "ai";
import type { ToolCall } from "./tool.ts";

export function systemMessage(text: string): SystemModelMessage {
  return { role: "system", content: text };
}

/**
 * @param content a text, or parts of it: texts, images and files
 * @example
 * userMessage([{ type: "text", text: "What is this?" }, { type: "file", data: bytes, mediaType: "image/png" }]);
 */
export function userMessage(content: UserContent): UserModelMessage {
  return { role: "user", content };
}

/** What the model has said, and which tools it has asked for. */
export function assistantMessage(text: string, toolCalls: readonly ToolCall[] = []): AssistantModelMessage {
  if (toolCalls.length === 0) return { role: "assistant", content: text };
  const calls = toolCalls.map(({ id, name, arguments: input }) => ({
    type: "tool-call" as const,
    toolCallId: id,
    toolName: name,
    input,
  }));
  return { role: "assistant", content: [...(text === "" ? [] : [{ type: "text" as const, text }]), ...calls] };
}

/**
 * What came of a tool call.
 *
 * @param output a text is sent as it is, anything else as JSON
 */
export function toolMessage(
  { id, name }: Pick<ToolCall, "id" | "name">,
  output: unknown,
  { isError = false }: { readonly isError?: boolean } = {},
): ToolModelMessage {
  const result =
    typeof output === "string"
      ? { type: isError ? ("error-text" as const) : ("text" as const), value: output }
      : { type: "json" as const, value: jsonOf(output) };
  return { role: "tool", content: [{ type: "tool-result", toolCallId: id, toolName: name, output: result }] };
}

/** As JSON would have it: dates become text, and what has no form becomes `null`. */
function jsonOf(value: unknown): JSONValue {
  const text = JSON.stringify(value, (_key, member: unknown) => (typeof member === "bigint" ? String(member) : member));
  return text === undefined ? null : (JSON.parse(text) as JSONValue);
}

/** A message of a conversation: of the system, the user, the assistant or a tool. */
export type Message = ModelMessage;
