/** Answers of tools: text for models, and the same for programs. */
import { type Logger, RomancyError } from "../index.ts";
import type { ToolResult } from "./sdk.ts";

export type Structured = Readonly<Record<string, unknown>>;

export function answer(text: string, structured: Structured): ToolResult {
  return { content: [{ type: "text", text }], structuredContent: structured };
}

/** An answer that the model is to take for a failure. */
export function failure(text: string, structured?: Structured): ToolResult {
  return { content: [{ type: "text", text }], ...(structured && { structuredContent: structured }), isError: true };
}

/** What others threw may tell of the database or the code, which is nothing for models; the log has it. */
export function failureOf(error: unknown, tool: string, logger: Logger): ToolResult {
  if (error instanceof RomancyError) return failure(error.message);
  logger.error(`The tool ${tool} failed.`, { error: messageOf(error), cause: error });
  return failure("The request could not be handled. Try again in a minute; the server's log says why it failed.");
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
