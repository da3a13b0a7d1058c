/** What the AI SDK makes of a durable model, in a workflow and again on replay. */
import {
  generateText,
  hasToolCall,
  isStepCount,
  type ModelMessage,
  Output,
  smoothStream,
  streamText,
  ToolLoopAgent,
  tool,
} from "ai";
import { convertArrayToReadableStream, MockLanguageModelV3, MockLanguageModelV4 } from "ai/test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { ActivityError, SerializationError, ValidationError } from "../../src/index.ts";
import {
  durableModel,
  durableTool,
  durableTools,
  ModelCallError,
  type ModelChunk,
  usageSoFar,
} from "../../src/llm/index.ts";
import { callsOf, modelOf, resultOf } from "./support/models.ts";
import { replayed, run } from "./support/replay.ts";

const numbers = z.object({ a: z.number(), b: z.number() });

/** Asks for two sums at once, then tells them. */
const adder = () =>
  modelOf(({ prompt }) => {
    const last = prompt.at(-1);
    if (last?.role !== "tool") {
      return [
        { id: "x", name: "add", input: { a: 1, b: 2 } },
        { id: "y", name: "add", input: { a: 3, b: 4 } },
      ];
    }
    const outputs = last.content.map((part) => (part.type === "tool-result" ? part.output : undefined));
    return outputs.map((output) => (output?.type === "json" ? JSON.stringify(output.value) : "?")).join(" and ");
  });

function add(executions: unknown[] = []) {
  return tool({
    description: "Adds two numbers.",
    inputSchema: numbers,
    execute: ({ a, b }) => {
      executions.push([a, b]);
      return a + b;
    },
  });
}

describe("generateText", () => {
  it("gives a text, and on replay the same without a call", async () => {
    const mock = modelOf(() => "Hello!");
    const { value, operations } = await replayed(async (ctx) => {
      const result = await generateText({ model: durableModel(ctx, mock), prompt: "Hi" });
      const { text, usage, finishReason, response } = result;
      return { text, usage, finishReason, id: response.id, at: response.timestamp, model: response.modelId };
    });
    expect(value).toMatchObject({ text: "Hello!", finishReason: "stop", model: "mock-1" });
    expect(value.usage).toMatchObject({ inputTokens: 3, outputTokens: 5, totalTokens: 8 });
    expect(value.id).toMatch(/\/llm_generate:1$/);
    expect(value.at).toBeInstanceOf(Date);
    expect(operations).toEqual(["llm_generate:1"]);
    expect(callsOf(mock)).toBe(1);
  });

  it("runs a loop of tools, several at once, each call and each execution a step", async () => {
    const mock = adder();
    const executions: unknown[] = [];
    const { value, operations } = await replayed(async (ctx) => {
      const tools = durableTools(ctx, { add: add(executions) });
      const { text, steps } = await generateText({
        model: durableModel(ctx, mock),
        tools,
        prompt: "Sums!",
        stopWhen: isStepCount(5),
      });
      return { text, steps: steps.length };
    });
    expect(value).toEqual({ text: "3 and 7", steps: 2 });
    expect(operations).toEqual(["llm_generate:1", "tool_add:1", "tool_add:2", "llm_generate:2"]);
    expect(callsOf(mock)).toBe(2);
    expect(executions).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  it("gives data that fits a schema", async () => {
    const mock = modelOf(() => '{"a":1,"b":2}');
    const { value } = await replayed(async (ctx) => {
      const output = Output.object({ schema: numbers });
      return (await generateText({ model: durableModel(ctx, mock), output, prompt: "Numbers!" })).output;
    });
    expect(value).toEqual({ a: 1, b: 2 });
    expect(mock.doGenerateCalls[0]?.responseFormat).toMatchObject({ type: "json", schema: { type: "object" } });
    expect(callsOf(mock)).toBe(1);
  });

  it("may be called many times at once", async () => {
    const mock = adder();
    const { value, operations } = await replayed(async (ctx) => {
      const model = durableModel(ctx, mock);
      const tools = durableTools(ctx, { add: add() });
      const calls = [1, 2, 3].map((n) =>
        generateText({ model, tools, prompt: String(n), stopWhen: isStepCount(5) }).then(({ text }) => text),
      );
      return Promise.all(calls);
    });
    expect(value).toEqual(["3 and 7", "3 and 7", "3 and 7"]);
    expect(callsOf(mock)).toBe(6);
    expect(new Set(operations).size).toBe(12);
  });

  it("works with models of an older interface", async () => {
    const older = new MockLanguageModelV3({ doGenerate: async () => resultOf("three") as never });
    const { value } = await replayed(async (ctx) => {
      return (await generateText({ model: durableModel(ctx, older), prompt: "Which?" })).text;
    });
    expect(value).toBe("three");
  });
});

async function listOf<T>(pieces: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const piece of pieces) list.push(piece);
  return list;
}

describe("streams", () => {
  it("are recorded whole; their pieces are passed on live, and not again on replay", async () => {
    const mock = modelOf(() => "Hello!");
    const pieces: string[] = [];
    const { value, history } = await replayed(async (ctx) => {
      const onChunk = (chunk: ModelChunk): void => {
        if (chunk.type === "text-delta") pieces.push(chunk.delta);
      };
      const { textStream } = streamText({ model: durableModel(ctx, mock, { onChunk }), prompt: "Hi" });
      return listOf(textStream);
    });
    expect(pieces).toEqual(["H", "e", "l", "l", "o", "!"]);
    expect(value).toEqual(["Hello!"]);
    expect(callsOf(mock)).toBe(1);
    expect(JSON.stringify(history).match(/text-delta/g)).toHaveLength(1);
  });

  it("run loops of tools, several at once, with other operations in between", async () => {
    const mock = adder();
    const executions: unknown[] = [];
    const { value } = await replayed(async (ctx) => {
      const model = durableModel(ctx, mock);
      const tools = durableTools(ctx, { add: add(executions) });
      const stream = (prompt: string) => streamText({ model, tools, prompt, stopWhen: isStepCount(5) });
      const slow = async (): Promise<string> => {
        let text = "";
        for await (const piece of stream("slow").textStream) {
          await ctx.sleep(1);
          text += piece;
        }
        return text;
      };
      const usage = stream("usage").totalUsage.then(({ totalTokens }) => totalTokens);
      return Promise.all([stream("text").text, slow(), usage]);
    });
    expect(value).toEqual(["3 and 7", "3 and 7", 16]);
    expect(callsOf(mock)).toBe(6);
    expect(executions).toHaveLength(6);
  });

  it("that break off, or report an error, are tried again, from the beginning", async () => {
    let attempts = 0;
    const whole = modelOf(() => "whole");
    const mock = new MockLanguageModelV4({
      doStream: async (request) => {
        attempts++;
        const begin: ModelChunk[] = [
          { type: "text-start", id: "t" },
          { type: "text-delta", id: "t", delta: "wh" },
        ];
        if (attempts === 1) return { stream: convertArrayToReadableStream(begin) };
        const error: ModelChunk = { type: "error", error: { type: "overloaded_error", message: "Overloaded" } };
        if (attempts === 2) return { stream: convertArrayToReadableStream([...begin, error]) };
        return whole.doStream(request);
      },
    });
    const seen: [number, string][] = [];
    const { value, history } = await replayed(async (ctx) => {
      const model = durableModel(ctx, mock, {
        retry: { initialInterval: 0, maxInterval: 0 },
        onChunk: (chunk, { attempt }) => {
          if (chunk.type === "text-delta") seen.push([attempt, chunk.delta]);
          throw new Error("a hook is not to matter");
        },
      });
      return streamText({ model, prompt: "Hi" }).text;
    });
    expect(value).toBe("whole");
    expect(seen.map(([attempt]) => attempt)).toEqual([1, 2, 3, 3, 3, 3, 3]);
    const failures = history.filter((entry) => entry.kind === "attempt_failed").map(({ error }) => String(error));
    expect(failures).toEqual([
      "ModelCallError: The call of mock-provider/mock-model-id failed: the answer ended before it was finished.",
      "ModelCallError: The call of mock-provider/mock-model-id failed: Overloaded.",
    ]);
  });
});

describe("transforms of streams", () => {
  it("are fine when they do not wait", async () => {
    const { value } = await replayed(async (ctx) => {
      const transform = smoothStream({ delayInMs: null });
      const model = durableModel(
        ctx,
        modelOf(() => "one two three"),
      );
      return listOf(streamText({ model, prompt: "Hi", experimental_transform: transform }).textStream);
    });
    expect(value).toEqual(["one ", "two ", "three"]);
  });
});

it("a durable tool is told nothing that is not known, before a model asks for it", async () => {
  const told = async (options: object): Promise<unknown> =>
    run((ctx) => {
      durableTool(ctx, add([]), { name: "add", ...options });
      return Promise.resolve();
    }).catch((error: unknown) => error);
  expect(await told({ timout: "1s" })).toMatchObject({ message: expect.stringContaining('have no "timout"') });
  expect(await told({ retry: true })).toMatchObject({ message: expect.stringContaining("retry must be a policy") });
  expect(await told({ retry: undefined })).not.toBeInstanceOf(Error);
});

describe("agents", () => {
  it("of the AI SDK run as they are, live and streamed", async () => {
    const mock = adder();
    const executions: unknown[] = [];
    const { value, operations } = await replayed(async (ctx) => {
      const tools = { add: durableTool(ctx, add(executions), { name: "add" }) };
      const agent = new ToolLoopAgent({ model: durableModel(ctx, mock, { name: "agent" }), tools });
      const { text } = await agent.generate({ prompt: "Sums!" });
      const streamed = await agent.stream({ prompt: "Sums!" });
      return [text, await streamed.text];
    });
    expect(value).toEqual(["3 and 7", "3 and 7"]);
    expect(operations.filter((id) => id.startsWith("agent"))).toEqual([
      "agent_generate:1",
      "agent_generate:2",
      "agent_stream:1",
      "agent_stream:2",
    ]);
    expect(executions).toHaveLength(4);
  });

  it("can wait for a human in the middle of a loop", async () => {
    const mock = modelOf((_, call) => (call === 1 ? [{ id: "x", name: "ask", input: {} }] : "thanks"));
    const { value } = await replayed(async (ctx) => {
      const ask = tool({
        inputSchema: z.object({}),
        execute: async () => {
          await ctx.sleep(1);
          return "yes";
        },
      });
      const { text } = await generateText({
        model: durableModel(ctx, mock),
        tools: { ask },
        prompt: "Ask.",
        stopWhen: [isStepCount(3), hasToolCall("never")],
      });
      return text;
    });
    expect(value).toBe("thanks");
  });
});

describe("tools that need approval", () => {
  it("wait for it, for as long as it takes", async () => {
    const mock = modelOf(({ prompt }) => {
      const last = prompt.at(-1);
      return last?.role === "tool" ? JSON.stringify(last.content) : [{ id: "x", name: "fire", input: {} }];
    });
    const fired: string[] = [];
    const { value, operations } = await replayed(async (ctx) => {
      const fire = tool({
        inputSchema: z.object({}),
        execute: () => {
          fired.push("fired");
          return "fired";
        },
      });
      const options = {
        model: durableModel(ctx, mock),
        tools: durableTools(ctx, { fire }),
        toolApproval: { fire: "user-approval" as const },
        stopWhen: isStepCount(3),
      };
      const messages: ModelMessage[] = [{ role: "user", content: "Fire!" }];
      const first = await generateText({ ...options, messages });
      const requests = first.content.filter((part) => part.type === "tool-approval-request");
      await ctx.sleep(5);
      const content = requests.map(({ approvalId }) => ({
        type: "tool-approval-response" as const,
        approvalId,
        approved: true,
      }));
      const answered: ModelMessage[] = [...messages, ...first.responseMessages, { role: "tool", content }];
      const second = await generateText({ ...options, messages: answered });
      return [requests.length, second.text];
    });
    expect(value).toEqual([1, expect.stringContaining("fired")]);
    expect(fired).toEqual(["fired"]);
    expect(operations).toEqual(["llm_generate:1", "sleep:1", "sleep:1", "tool_fire:1", "llm_generate:2"]);
  });
});

describe("tools", () => {
  const asking = () =>
    modelOf(({ prompt }, call) =>
      call === 1 ? [{ id: "x", name: "work", input: {} }] : JSON.stringify(prompt.at(-1)),
    );

  it("tell the model what went wrong, once their attempts are used up", async () => {
    let attempts = 0;
    const { value } = await replayed(async (ctx) => {
      const work = tool({
        inputSchema: z.object({}),
        execute: (): string => {
          attempts++;
          throw new Error("the archive is closed");
        },
      });
      const tools = durableTools(ctx, { work }, { retry: { maxAttempts: 2, initialInterval: 0 } });
      const model = durableModel(ctx, asking());
      const first = await generateText({ model, tools, prompt: "Work.", stopWhen: isStepCount(3) });
      return first.text;
    });
    expect(attempts).toBe(2);
    expect(value).toContain("the archive is closed");
    expect(value).not.toContain("attempts");
  });

  it("that give several results are worth the last one", async () => {
    const { value, history } = await replayed(async (ctx) => {
      const work = tool({
        inputSchema: z.object({}),
        async *execute() {
          yield "half";
          yield "whole";
        },
      });
      const { text } = await generateText({
        model: durableModel(ctx, asking()),
        tools: durableTools(ctx, { work }),
        prompt: "Work.",
        stopWhen: isStepCount(3),
      });
      return text;
    });
    expect(value).toContain("whole");
    expect(JSON.stringify(history)).not.toContain("half");
  });

  it("without a function are left alone", async () => {
    const asked = await run(async (ctx) => {
      const work = tool({ inputSchema: z.object({}), outputSchema: z.string() });
      expect(durableTool(ctx, work)).toBe(work);
      const { toolCalls } = await generateText({
        model: durableModel(ctx, asking()),
        tools: { work },
        prompt: "Work.",
      });
      return toolCalls.map(({ toolName }) => toolName);
    });
    expect(asked).toEqual(["work"]);
  });
});

describe("what is recorded", () => {
  it("keeps images, dates, metadata and thoughts", async () => {
    const image = new Uint8Array([0, 1, 254, 255]);
    const mock = modelOf(() => ({
      ...resultOf("a picture"),
      content: [
        { type: "reasoning", text: "hm", providerMetadata: { mock: { signature: "s" } } },
        { type: "file", mediaType: "image/png", data: { type: "data", data: image } },
        { type: "text", text: "a picture" },
      ],
      providerMetadata: { mock: { cached: true, nothing: null } },
      response: { id: "r-1", timestamp: new Date(0), modelId: "mock-2", headers: { secret: "x" }, body: "raw" },
      request: { body: "the prompt again" },
    }));
    const { value, history } = await replayed(async (ctx) => {
      const content = [
        { type: "text" as const, text: "Draw this:" },
        { type: "file" as const, mediaType: "image/png", data: image },
      ];
      const result = await generateText({ model: durableModel(ctx, mock), messages: [{ role: "user", content }] });
      const { files, response, providerMetadata, reasoningText } = result;
      return { bytes: files[0]?.uint8Array, at: response.timestamp, id: response.id, providerMetadata, reasoningText };
    });
    expect(value).toEqual({
      bytes: image,
      at: new Date(0),
      id: "r-1",
      providerMetadata: { mock: { cached: true, nothing: null } },
      reasoningText: "hm",
    });
    const sent = mock.doGenerateCalls[0]?.prompt[0]?.content[1];
    expect(sent).toMatchObject({ type: "file", data: { type: "data", data: image } });
    expect(JSON.stringify(history)).not.toMatch(/secret|body|the prompt again/);
  });

  it("is plain JSON where it can be", async () => {
    const { history } = await replayed(async (ctx) => {
      const { text } = await generateText({
        model: durableModel(
          ctx,
          modelOf(() => "Hello!"),
        ),
        prompt: "Hi",
      });
      return text;
    });
    const [entry] = history;
    expect(entry).toMatchObject({ kind: "activity_completed", result: { finishReason: { unified: "stop" } } });
  });

  it("must not be too large: the error says so, and is not tried again", async () => {
    const mock = modelOf(() => "x".repeat(3 * 1024 * 1024));
    const error = await run((ctx) => generateText({ model: durableModel(ctx, mock), prompt: "Hi" }), {}).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(ActivityError);
    expect((error as ActivityError).cause).toBeInstanceOf(SerializationError);
    expect(String(error)).toMatch(/llm_generate:1 cannot be stored: it takes \d+ bytes, more than the limit/);
    expect(callsOf(mock)).toBe(1);
  });

  it("counts what it has cost, the same on replay", async () => {
    const { value } = await replayed(async (ctx) => {
      const model = durableModel(
        ctx,
        modelOf(() => "Hello!"),
      );
      const before = usageSoFar(ctx).calls;
      await generateText({ model, prompt: "Hi" });
      await streamText({ model, prompt: "Hi" }).text;
      return [before, usageSoFar(ctx)];
    });
    expect(value).toEqual([
      0,
      { calls: 2, inputTokens: 6, outputTokens: 10, totalTokens: 16, cachedInputTokens: 2, reasoningTokens: 2 },
    ]);
  });
});

describe("what is not durable", () => {
  it("is refused: signals and time limits of the AI SDK", async () => {
    const mock = modelOf(() => "Hello!");
    const refused = run((ctx) =>
      generateText({ model: durableModel(ctx, mock), prompt: "Hi", abortSignal: AbortSignal.timeout(60_000) }),
    );
    await expect(refused).rejects.toThrow(ValidationError);
    await expect(
      run((ctx) => generateText({ model: durableModel(ctx, mock), prompt: "Hi", timeout: 60_000 })),
    ).rejects.toThrow("give `timeout` to `durableModel`");
    expect(callsOf(mock)).toBe(0);
  });

  it("is not tried again by the AI SDK: attempts are the activity's", async () => {
    const { APICallError } = await import("ai");
    const mock = modelOf(() => {
      throw new APICallError({ message: "busy", url: "x", requestBodyValues: { prompt: "secret" }, statusCode: 503 });
    });
    const retry = { maxAttempts: 2, initialInterval: 0 };
    const error = await run((ctx) => generateText({ model: durableModel(ctx, mock, { retry }), prompt: "Hi" })).catch(
      (thrown: unknown) => thrown,
    );
    expect(callsOf(mock)).toBe(2);
    expect(error).toMatchObject({ name: "ActivityError", attempts: 2, cause: { status: 503, isRetryable: true } });
    expect((error as Error).cause).toBeInstanceOf(ModelCallError);
    expect(JSON.stringify({ ...((error as Error).cause as object) })).not.toContain("secret");
  });

  it("is refused without a model", async () => {
    await expect(run(async (ctx) => durableModel(ctx))).rejects.toThrow("No model was given");
    await expect(run(async (ctx) => durableModel(ctx, "gpt-5"))).rejects.toThrow('"gpt-5" has no provider');
  });
});

describe("files that are named by URL", () => {
  afterEach(() => void vi.unstubAllGlobals());

  const url = new URL("https://example.com/cat.png");
  const file = { type: "file" as const, mediaType: "image/png", data: { type: "url" as const, url } };

  /** What the model is sent of the file, and of one that a tool gives it. */
  async function sentTo(supportedUrls: Record<string, RegExp[]>): Promise<unknown[]> {
    const mock = new MockLanguageModelV4({ supportedUrls, doGenerate: async () => resultOf("seen") });
    await replayed(async (ctx) => {
      const output = { type: "content" as const, value: [file] };
      const result = { type: "tool-result" as const, toolCallId: "x", toolName: "look", output };
      const call = { type: "tool-call" as const, toolCallId: "x", toolName: "look", input: {} };
      const { text } = await generateText({
        model: durableModel(ctx, mock),
        messages: [
          { role: "user", content: [file] },
          { role: "assistant", content: [call] },
          { role: "tool", content: [result] },
        ],
      });
      return text;
    });
    const [request] = mock.doGenerateCalls;
    const given = request?.prompt[2]?.content[0] as { output?: { value?: { data: unknown }[] } } | undefined;
    return [(request?.prompt[0]?.content[0] as { data?: unknown } | undefined)?.data, given?.output?.value?.[0]?.data];
  }

  it("go as they are to models that take them", async () => {
    const fetched = vi.fn<typeof fetch>();
    vi.stubGlobal("fetch", fetched);
    const asUrl = { type: "url", url };
    expect(await sentTo({ "image/*": [/^https:/] })).toMatchObject([asUrl, asUrl]);
    expect(await sentTo({ "*": [/^https:/] })).toMatchObject([asUrl, asUrl]);
    expect(fetched).not.toHaveBeenCalled();
  });

  it("are fetched for those that do not, in the activity: once", async () => {
    const fetched = vi.fn<typeof fetch>(
      async () => new Response(new Uint8Array([1, 2]), { headers: { "content-type": "image/png" } }),
    );
    vi.stubGlobal("fetch", fetched);
    const asData = { type: "data", data: new Uint8Array([1, 2]) };
    expect(await sentTo({ "image/png": [/^http:/], "audio/*": [/./] })).toEqual([asData, asData]);
    expect(fetched).toHaveBeenCalledTimes(2);
  });
});
