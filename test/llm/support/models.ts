/** Models that answer as the test says. */
import { convertArrayToReadableStream, MockLanguageModelV4 } from "ai/test";
import type { ModelChunk, ModelRequest, ProviderModel } from "../../../src/llm/index.ts";

type Result = Awaited<ReturnType<ProviderModel["doGenerate"]>>;

/** What each answer of a mock has cost: 3 tokens in, 5 out. */
const usage: Result["usage"] = {
  inputTokens: { total: 3, noCache: 2, cacheRead: 1, cacheWrite: undefined },
  outputTokens: { total: 5, text: 4, reasoning: 1 },
};

/** What a mock says: a text, tools that it asks for, or a whole result. */
export type Answer =
  | string
  | readonly { readonly id: string; readonly name: string; readonly input: unknown }[]
  | Result;

/** A whole result. */
export function resultOf(answer: Answer): Result {
  if (typeof answer === "object" && "content" in answer) return answer;
  const content: Result["content"] =
    typeof answer === "string"
      ? [{ type: "text", text: answer }]
      : answer.map(({ id, name, input }) => ({
          type: "tool-call",
          toolCallId: id,
          toolName: name,
          input: JSON.stringify(input),
        }));
  const unified = typeof answer === "string" ? "stop" : "tool-calls";
  return { content, finishReason: { unified, raw: unified }, usage, warnings: [] };
}

/** A mock that answers, and streams, what the function says; it throws what the function throws. */
export function modelOf(
  answer: (request: ModelRequest, call: number) => Answer | Promise<Answer>,
): MockLanguageModelV4 {
  let calls = 0;
  const next = async (request: ModelRequest): Promise<Result> => resultOf(await answer(request, ++calls));
  return new MockLanguageModelV4({
    provider: "mock",
    modelId: "mock-1",
    doGenerate: next,
    doStream: async (request) => ({ stream: convertArrayToReadableStream(chunksOf(await next(request))) }),
  });
}

/** A result, in pieces: each character of a text is one. */
function chunksOf({ content, finishReason }: Result): ModelChunk[] {
  const parts = content.flatMap((part): ModelChunk[] => {
    if (part.type === "tool-call") return [part];
    if (part.type !== "text") return [];
    const deltas = part.text.split("").map((delta) => ({ type: "text-delta" as const, id: "t", delta }));
    return [{ type: "text-start", id: "t" }, ...deltas, { type: "text-end", id: "t" }];
  });
  return [{ type: "stream-start", warnings: [] }, ...parts, { type: "finish", finishReason, usage }];
}

/** How often a mock was called. */
export function callsOf({ doGenerateCalls, doStreamCalls }: MockLanguageModelV4): number {
  return doGenerateCalls.length + doStreamCalls.length;
}

/** The text of the last message that a model was sent. */
export function lastText({ prompt }: ModelRequest): string {
  const content = prompt.at(-1)?.content ?? [];
  if (typeof content === "string") return content;
  return content.map((part) => ("text" in part ? part.text : "")).join("");
}
