/** The three providers' own packages, each against a server that speaks its format. */
import { generateText, isStepCount, streamText, tool } from "ai";
import { describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { type ActivityContext, ActivityError } from "../../src/index.ts";
import {
  AgentContext,
  call,
  callParse,
  DurableAgent,
  defineTool,
  durableModel,
  durableTools,
  getUsage,
  ModelCallError,
  type ModelChunk,
} from "../../src/llm/index.ts";
import { ProviderServer, type Reply } from "./support/provider-server.ts";
import { replayed, run } from "./support/replay.ts";

const MODELS = {
  anthropic: "anthropic/claude-sonnet-4-5",
  openai: "openai/gpt-5",
  google: "google/gemini-2.5-flash",
} as const;

const quick = { initialInterval: 0, maxInterval: 0 };
const weather = z.object({ city: z.string() });

describe.each(Object.entries(MODELS))("%s", (provider, model) => {
  it("gives text, and counts it", async () => {
    await using server = await ProviderServer.start(() => ({ text: "Hello!" }));
    const { providers } = server;
    const { value, app, id } = await replayed((ctx) => call(ctx, "Hi", { model, maxTokens: 50 }), { providers });
    expect(value).toMatchObject({ text: "Hello!", provider, finishReason: "stop", toolCalls: [] });
    expect(value.usage).toMatchObject({ inputTokens: 11, outputTokens: 7, totalTokens: 18 });
    expect(await getUsage(app, id)).toMatchObject({ calls: 1, totalTokens: 18 });
    expect(server.asked).toHaveLength(1);
    expect(JSON.stringify(server.asked[0]?.body)).toContain('"Hi"');
  });

  it("gives data that fits a schema, which it was sent", async () => {
    await using server = await ProviderServer.start(() => ({ text: '{"city":"Oslo"}' }));
    const { providers } = server;
    const { value } = await replayed((ctx) => callParse(ctx, "Where?", weather, { model }), { providers });
    expect(value).toEqual({ city: "Oslo" });
    expect(JSON.stringify(server.asked[0]?.body)).toContain('"city":{');
  });

  it("runs a loop of tools of the AI SDK", async () => {
    await using server = await ProviderServer.start((_, n) =>
      n === 1 ? { calls: [{ id: "call_1", name: "weather", input: { city: "Oslo" } }] } : { text: "It rains." },
    );
    const { providers } = server;
    const { value, operations } = await replayed(
      async (ctx) => {
        const execute = ({ city }: { city: string }) => `rain in ${city}`;
        const tools = durableTools(ctx, { weather: tool({ inputSchema: weather, execute }) });
        const options = { model: durableModel(ctx, model), tools, prompt: "Weather?", stopWhen: isStepCount(3) };
        return (await generateText(options)).text;
      },
      { providers },
    );
    expect(value).toBe("It rains.");
    expect(operations).toEqual(["llm_generate:1", "tool_weather:1", "llm_generate:2"]);
    expect(server.asked).toHaveLength(2);
    expect(JSON.stringify(server.asked[1]?.body)).toContain("rain in Oslo");
  });

  it("runs an agent's loop of tools, with what was said before", async () => {
    await using server = await ProviderServer.start((_, n) =>
      n === 2 ? { calls: [{ id: "call_1", name: "weather", input: { city: "Oslo" } }] } : { text: `Answer ${n}.` },
    );
    const { providers } = server;
    const lookUp = defineTool("weather", {
      description: "Tells the weather.",
      input: weather,
      execute: ({ city }) => ({ sky: `rain in ${city}` }),
    });
    const agent = new DurableAgent("forecaster", { model, tools: [lookUp] });
    const { value } = await replayed(
      async (ctx) => {
        const conversation = new AgentContext();
        await agent.chat(ctx, conversation, "Hi");
        return (await agent.chatWithToolLoop(ctx, conversation, "Weather?")).text;
      },
      { providers },
    );
    expect(value).toBe("Answer 3.");
    expect(server.asked).toHaveLength(3);
    expect(JSON.stringify(server.asked[2]?.body)).toContain("rain in Oslo");
  });

  it("streams text and tools", async () => {
    await using server = await ProviderServer.start((_, n) =>
      n === 1 ? { calls: [{ id: "call_1", name: "weather", input: { city: "Oslo" } }] } : { text: "It rains." },
    );
    const { providers } = server;
    const pieces: string[] = [];
    const { value } = await replayed(
      async (ctx) => {
        const onChunk = (chunk: ModelChunk): void => {
          if (chunk.type === "text-delta") pieces.push(chunk.delta);
        };
        const tools = durableTools(ctx, { weather: tool({ inputSchema: weather, execute: () => "rain" }) });
        const streaming = { model: durableModel(ctx, model, { onChunk }), tools, stopWhen: isStepCount(3) };
        const stream = streamText({ ...streaming, prompt: "Weather?" });
        return [await stream.text, (await stream.totalUsage).totalTokens];
      },
      { providers },
    );
    expect(value).toEqual(["It rains.", 36]);
    expect(pieces.filter((piece) => piece !== "")).toEqual(["It ", "rains."]);
    expect(server.asked).toHaveLength(2);
  });

  it("is asked again when its stream breaks off, or stands still", async () => {
    const replies: Reply[] = [
      { beginning: { text: "Half." }, end: "cut off" },
      { beginning: { text: "Half." }, end: "hang" },
    ];
    await using server = await ProviderServer.start((_, n) => replies[n - 1] ?? { text: "Whole." });
    const { providers } = server;
    const seen = new Map<number, string>();
    const { value, history } = await replayed(
      async (ctx) => {
        const onChunk = (chunk: ModelChunk, { attempt }: ActivityContext): void => {
          if (chunk.type === "text-delta") seen.set(attempt, (seen.get(attempt) ?? "") + chunk.delta);
        };
        return streamText({ model: durableModel(ctx, model, { onChunk, timeout: 1_000, retry: quick }), prompt: "Hi" })
          .text;
      },
      { providers },
    );
    expect(value).toBe("Whole.");
    expect([...seen.values()].at(-1)).toBe("Whole.");
    const failures = history.flatMap((entry) => (entry.kind === "attempt_failed" ? [(entry.error as Error).name] : []));
    // A slow machine may need another attempt.
    expect(failures.length).toBeGreaterThanOrEqual(2);
    expect(failures[1]).toBe("ActivityTimeoutError");
    expect(server.asked).toHaveLength(failures.length + 1);
  });

  it("is asked again after 429, when it says so, after 500, and after a cut connection", async () => {
    const replies: Reply[] = [
      { status: 429, headers: { "retry-after": "1" } },
      { status: 500 },
      "cut off",
      { text: "at last" },
    ];
    await using server = await ProviderServer.start((_, n) => replies[n - 1] ?? "hang");
    const { providers } = server;
    const { value, history } = await replayed((ctx) => call(ctx, "Hi", { model, retry: quick }), { providers });
    expect(value.text).toBe("at last");
    const failed = history.filter((entry) => entry.kind === "attempt_failed");
    expect(failed.map(({ retryAt, at }) => retryAt.getTime() - at.getTime())).toEqual([1_000, 0, 0]);
    expect(failed.map(({ error }) => (error as Error).name)).toEqual([
      "RetryLaterError",
      "ModelCallError",
      "ModelCallError",
    ]);
    expect(server.asked).toHaveLength(4);
  });

  it("is not asked again after 401", async () => {
    await using server = await ProviderServer.start(() => ({ status: 401, message: "invalid key" }));
    const { providers } = server;
    const error = await run((ctx) => call(ctx, "Hi", { model }), { providers }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ActivityError);
    expect((error as ActivityError).cause).toBeInstanceOf(ModelCallError);
    expect((error as ActivityError).cause).toMatchObject({ provider, status: 401, isRetryable: false });
    expect(String(error)).toContain("invalid key");
    expect(server.asked).toHaveLength(1);
  });

  it("that never answers is left after the time limit, and its connection closed", async () => {
    await using server = await ProviderServer.start((_, n) => (n === 1 ? "hang" : { text: "awake" }));
    const { providers } = server;
    const { value, history } = await replayed((ctx) => call(ctx, "Hi", { model, timeout: 500, retry: quick }), {
      providers,
    });
    expect(value.text).toBe("awake");
    const [first] = history;
    expect(first?.kind === "attempt_failed" && String(first.error)).toContain(
      "llm_call:1 did not finish within 500 ms",
    );
    await server.hungUp;
  });
});

describe("the providers' packages", () => {
  it("are loaded by name, and take key and address from the environment", async () => {
    await using server = await ProviderServer.start(() => ({ text: "Hello!" }));
    vi.stubEnv("ANTHROPIC_BASE_URL", `${server.url}/anthropic`);
    vi.stubEnv("ANTHROPIC_API_KEY", "from the environment");
    expect(await run((ctx) => call(ctx, "Hi", { model: MODELS.anthropic }))).toMatchObject({ text: "Hello!" });
    expect(server.asked[0]?.headers["x-api-key"]).toBe("from the environment");
    vi.unstubAllEnvs();
  });

  it("say that a key is missing; that is final", async () => {
    vi.stubEnv("OPENAI_API_KEY", undefined);
    vi.stubEnv("GOOGLE_GENERATIVE_AI_API_KEY", undefined);
    const error = async (model: string): Promise<unknown> =>
      run((ctx) => call(ctx, "Hi", { model })).catch((thrown: unknown) => thrown);
    expect(await error(MODELS.openai)).toMatchObject({ attempts: 1, cause: { name: "AI_LoadAPIKeyError" } });
    expect(String(await error(MODELS.google))).toContain("GOOGLE_GENERATIVE_AI_API_KEY");
    vi.unstubAllEnvs();
  });
});
