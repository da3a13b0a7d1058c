/** The family's own surface: calls by prompt and by messages, definitions, defaults, and what they cost. */
import { APICallError } from "ai";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { ActivityError, type Schema, TerminalError, ValidationError, type WorkflowContext } from "../../src/index.ts";
import {
  assistantMessage,
  type CallSettings,
  call,
  callMessages,
  callMessagesParse,
  callParse,
  clearAppDefaults,
  defineDurableCall,
  defineTool,
  executeToolCalls,
  getAppDefaults,
  getUsage,
  hasToolCalls,
  ModelCallError,
  ModelOutputError,
  parseStructured,
  setAppDefaults,
  systemMessage,
  ToolNotFoundError,
  toolMessage,
  usageSoFar,
  userMessage,
} from "../../src/llm/index.ts";
import { createApp } from "../support/apps.ts";
import { callsOf, lastText, modelOf, resultOf } from "./support/models.ts";
import { replayed, run } from "./support/replay.ts";

const title = z.object({ title: z.string() });
const quick = { initialInterval: 0, maxInterval: 0 };

describe("calls", () => {
  it("give text and data, by prompt and by messages, and replay without a call", async () => {
    const mock = modelOf((request) => (request.responseFormat ? '{"title":"T"}' : `> ${lastText(request)}`));
    const { value, operations } = await replayed(
      async (ctx) => {
        const messages = [systemMessage("Be brief."), userMessage("Hi"), assistantMessage("Yes?"), userMessage("Ho")];
        return [
          await call(ctx, "Hi"),
          await callParse(ctx, "A title!", title),
          await callMessages(ctx, messages),
          await callMessagesParse(ctx, messages, title),
        ];
      },
      { model: mock },
    );
    expect(value[0]).toEqual({
      text: "> Hi",
      model: "mock-1",
      provider: "mock",
      usage: { inputTokens: 3, outputTokens: 5, totalTokens: 8, cachedInputTokens: 1, reasoningTokens: 1 },
      toolCalls: [],
      finishReason: "stop",
      messages: [{ role: "assistant", content: [{ type: "text", text: "> Hi" }] }],
    });
    expect(value.slice(1)).toMatchObject([{ title: "T" }, { text: "> Ho" }, { title: "T" }]);
    expect(operations).toEqual(["llm_call:1", "llm_call_parse:1", "llm_call_messages:1", "llm_call_messages_parse:1"]);
    expect(callsOf(mock)).toBe(4);
    expect(mock.doGenerateCalls[1]?.responseFormat).toMatchObject({ schema: { required: ["title"] } });
    expect(mock.doGenerateCalls[2]?.prompt.map(({ role }) => role)).toEqual(["system", "user", "assistant", "user"]);
  });

  it("pass all settings on", async () => {
    const mock = modelOf(() => [{ id: "c", name: "look", input: { at: "it" } }]);
    const tool = defineTool("look", { description: "Looks.", input: z.object({ at: z.string() }) });
    await run((ctx) =>
      call(ctx, "Hi", {
        model: mock,
        systemMessage: "Be brief.",
        maxTokens: 7,
        temperature: 0.5,
        topP: 0.9,
        topK: 5,
        seed: 42,
        stopSequences: ["END"],
        tools: [tool],
        toolChoice: "required",
        providerOptions: { mock: { thinking: true } },
      }),
    );
    expect(mock.doGenerateCalls[0]).toMatchObject({
      prompt: [{ role: "system", content: "Be brief." }, { role: "user" }],
      maxOutputTokens: 7,
      temperature: 0.5,
      topP: 0.9,
      topK: 5,
      seed: 42,
      stopSequences: ["END"],
      tools: [{ type: "function", name: "look", description: "Looks.", inputSchema: { required: ["at"] } }],
      toolChoice: { type: "required" },
      providerOptions: { mock: { thinking: true } },
    });
  });

  it("keep what a schema makes of an answer", async () => {
    const schema = z.object({ on: z.iso.date().transform((text) => new Date(text)) });
    const { value } = await replayed((ctx) => callParse(ctx, "When?", schema), {
      model: modelOf(() => '{"on":"2026-01-02"}'),
    });
    expect(value).toEqual({ on: new Date("2026-01-02") });
  });

  it("are refused, once, with a schema that cannot be sent", async () => {
    const mock = modelOf(() => "{}");
    const error = async (code: (ctx: WorkflowContext) => Promise<unknown>): Promise<unknown> =>
      run(code, { model: mock }).catch((thrown: unknown) => thrown);
    const bare: Schema<string> = {
      "~standard": { version: 1, vendor: "home-made", validate: (value) => ({ value: String(value) }) },
    };
    const dated = z.object({ at: z.date() });
    const tools = [defineTool("look", { description: "Looks.", input: dated })];
    for (const thrown of [
      await error((ctx) => callParse(ctx, "Hi", bare)),
      await error((ctx) => callParse(ctx, "Hi", dated)),
      await error((ctx) => call(ctx, "Hi", { tools })),
    ]) {
      expect(thrown).toMatchObject({ attempts: 1, cause: { name: "ValidationError" } });
      expect(String(thrown)).toContain("cannot be made into JSON Schema");
    }
    expect(callsOf(mock)).toBe(0);
  });

  it("are named as they are told to be", async () => {
    const { operations } = await replayed(async (ctx) => (await call(ctx, "Hi", { id: "greeting" })).text, {
      model: modelOf(() => "Hello!"),
    });
    expect(operations).toEqual(["greeting"]);
  });

  it("are refused without a message", async () => {
    await expect(run((ctx) => callMessages(ctx, [], { model: modelOf(() => "") }))).rejects.toThrow(ValidationError);
  });
});

describe("answers that do not fit", () => {
  it("are tried again; what they have cost is counted", async () => {
    const mock = modelOf((_, n) => ["no JSON", '{"title":1}', '{"title":"T"}'][n - 1] ?? "");
    const { value, history, app, id } = await replayed((ctx) => callParse(ctx, "A title!", title, { retry: quick }), {
      model: mock,
    });
    expect(value).toEqual({ title: "T" });
    const failures = history.flatMap((entry) => (entry.kind === "attempt_failed" ? [entry.error as Error] : []));
    expect(failures.map(({ name }) => name)).toEqual(["ModelOutputError", "ModelOutputError"]);
    expect(failures[0]?.message).toContain("The answer of mock/mock-1 is not what was asked for");
    expect(await getUsage(app, id)).toMatchObject({ calls: 3, inputTokens: 9, outputTokens: 15, totalTokens: 24 });
  });

  it("fail the call in the end, with what the model wrote", async () => {
    const { value } = await replayed(
      async (ctx) => {
        const error = await callParse(ctx, "A title!", title, { retry: false }).catch((thrown: unknown) => thrown);
        const { cause } = error as ActivityError;
        const isTyped = error instanceof ActivityError && cause instanceof ModelOutputError;
        return [isTyped, (cause as ModelOutputError).text, usageSoFar(ctx).totalTokens];
      },
      { model: modelOf(() => "no JSON") },
    );
    expect(value).toEqual([true, "no JSON", 8]);
  });

  it("are not shown when the call is sensitive", async () => {
    const { history } = await replayed(
      async (ctx) => {
        await callParse(ctx, "A title!", title, { retry: false, sensitive: true }).catch(() => {});
      },
      { model: modelOf(() => "my secret") },
    );
    expect(history.map(({ kind }) => kind)).toEqual(["activity_failed"]);
    const [entry] = history;
    const error = entry?.kind === "activity_failed" ? (entry.error as Error) : undefined;
    expect(error?.message).toContain("not what was asked for");
    expect(JSON.stringify([error?.message, Object.entries(error ?? {})])).not.toContain("my secret");
  });
});

describe("errors of providers", () => {
  const failing = (status: number, headers: Record<string, string> = {}) =>
    modelOf(() => {
      const facts = { url: "x", requestBodyValues: { prompt: "secret" }, statusCode: status, responseBody: "details" };
      throw new APICallError({ message: "no", responseHeaders: headers, ...facts });
    });

  it.each([400, 401, 403, 404, 422])("of HTTP status %i are final", async (status) => {
    const mock = failing(status);
    const error = await run((ctx) => call(ctx, "Hi", { model: mock, retry: quick })).catch((thrown: unknown) => thrown);
    expect(callsOf(mock)).toBe(1);
    expect(error).toBeInstanceOf(ActivityError);
    const { cause } = error as ActivityError;
    expect(cause).toBeInstanceOf(ModelCallError);
    expect(cause).toMatchObject({
      code: "MODEL_CALL",
      provider: "mock",
      model: "mock-1",
      status,
      isRetryable: false,
      responseBody: "details",
    });
  });

  it.each([408, 409, 429, 500, 503, 529])("of HTTP status %i are tried again", async (status) => {
    const mock = failing(status, { "retry-after": "0" });
    const error = await run((ctx) => call(ctx, "Hi", { model: mock, retry: { ...quick, maxAttempts: 3 } })).catch(
      (thrown: unknown) => thrown,
    );
    expect(callsOf(mock)).toBe(3);
    expect(error).toMatchObject({ attempts: 3, cause: { status, isRetryable: true, retryAfter: 0 } });
    expect((error as ActivityError).cause).toBeInstanceOf(ModelCallError);
  });

  it("that say when to come back are heeded, however short the policy's waits are", async () => {
    const mock = modelOf((request, n) => {
      if (n > 1) return lastText(request);
      const responseHeaders = { "retry-after-ms": "120", "retry-after": "900" };
      throw new APICallError({
        message: "slow down",
        url: "x",
        requestBodyValues: {},
        statusCode: 429,
        responseHeaders,
      });
    });
    const { history } = await replayed(async (ctx) => (await call(ctx, "Hi", { model: mock, retry: quick })).text);
    const [failed] = history;
    expect(failed?.kind).toBe("attempt_failed");
    if (failed?.kind === "attempt_failed") expect(failed.retryAt.getTime() - failed.at.getTime()).toBe(120);
  });

  it("are the same for a workflow that catches them, live and on replay", async () => {
    const { value } = await replayed(
      async (ctx) => {
        try {
          return await call(ctx, "Hi");
        } catch (error) {
          const { cause } = error as ActivityError;
          return cause instanceof ModelCallError ? [cause.status, cause.message] : "untyped";
        }
      },
      { model: failing(401) },
    );
    expect(value).toEqual([
      401,
      "The call of mock/mock-1 failed with HTTP status 401: no. Check the provider's API key and what it may do.",
    ]);
  });

  it("are left alone when they are the user's own", async () => {
    const mock = modelOf(() => {
      throw new TerminalError("closed on Sundays");
    });
    const error = await run((ctx) => call(ctx, "Hi", { model: mock })).catch((thrown: unknown) => thrown);
    expect(String((error as Error).cause)).toContain("closed on Sundays");
    expect(callsOf(mock)).toBe(1);
  });
});

describe("definitions and defaults", () => {
  it("give way field by field: app, definition, call", async () => {
    const wide = modelOf(() => "wide");
    const narrow = modelOf(() => "narrow");
    const summarise = defineDurableCall("summarise", { temperature: 0.2, systemMessage: "Summarise." });
    const { value, operations } = await replayed(
      async (ctx) => [
        (await summarise(ctx, "a")).text,
        (await summarise(ctx, "b", { model: narrow, temperature: 0.3 })).text,
        (await summarise.messages(ctx, [userMessage("c")])).text,
      ],
      { model: wide, temperature: 0.1, maxTokens: 9 },
    );
    expect(value).toEqual(["wide", "narrow", "wide"]);
    expect(operations).toEqual(["summarise:1", "summarise:2", "summarise_messages:1"]);
    expect(wide.doGenerateCalls[0]).toMatchObject({ temperature: 0.2, maxOutputTokens: 9 });
    expect(narrow.doGenerateCalls[0]).toMatchObject({ temperature: 0.3, maxOutputTokens: 9 });
  });

  it("give way in their policies, too", async () => {
    const mock = modelOf(() => {
      throw new Error("no");
    });
    const ask = defineDurableCall("ask", { retry: { maxAttempts: 3 } });
    const attempts = async (settings: CallSettings): Promise<unknown> =>
      run((ctx) => ask(ctx, "Hi", settings), { model: mock, retry: { ...quick, maxAttempts: 9 } }).catch(
        (error: unknown) => (error as ActivityError).attempts,
      );
    expect(await attempts({})).toBe(3);
    expect(await attempts({ retry: { multiplier: 1 } })).toBe(3);
    expect(await attempts({ retry: { maxAttempts: 2 } })).toBe(2);
    expect(await attempts({ retry: false })).toBe(1);
  });

  it("parse, too", async () => {
    const entitle = defineDurableCall("entitle", { model: modelOf(() => '{"title":"T"}') });
    const { value, operations } = await replayed(async (ctx) => [
      await entitle.parse(ctx, "a", title),
      await entitle.messagesParse(ctx, [userMessage("b")], title),
    ]);
    expect(value).toEqual([{ title: "T" }, { title: "T" }]);
    expect(operations).toEqual(["entitle_parse:1", "entitle_messages_parse:1"]);
    expect(entitle.name).toBe("entitle");
  });

  it("are checked when they are made", () => {
    expect(() => defineDurableCall("")).toThrow(ValidationError);
    expect(() => defineDurableCall("a", { retry: { maxAttempts: 0 } })).toThrow("retry.maxAttempts");
    expect(() => defineDurableCall("a", { retry: true as never })).toThrow("retry must be a policy");
    expect(() => defineDurableCall("a", { timeout: -1 })).toThrow(ValidationError);
  });

  it("belong to one app each", () => {
    const [one, other] = [createApp(), createApp()];
    setAppDefaults(one, { model: "openai/gpt-5" });
    expect([getAppDefaults(one), getAppDefaults(other)]).toEqual([{ model: "openai/gpt-5" }, {}]);
    clearAppDefaults(one);
    expect(getAppDefaults(one)).toEqual({});
  });

  it("choose the provider that goes with the model", async () => {
    const asked: string[] = [];
    const providerOf = (provider: string) => ({
      languageModel(model: string) {
        asked.push(`${provider}: ${model}`);
        return modelOf(() => "ok");
      },
    });
    const providers = { openai: providerOf("openai"), router: providerOf("router") };
    await run(
      async (ctx) => {
        await call(ctx, "Hi");
        await call(ctx, "Hi", { model: "openai/gpt-5" });
        await call(ctx, "Hi", { provider: "openai" });
        await call(ctx, "Hi", { provider: "router", model: "meta/llama" });
      },
      { providers, provider: "router", model: "small" },
    );
    expect(asked).toEqual(["router: small", "openai: gpt-5", "openai: small", "router: meta/llama"]);
  });

  it("must name a provider that is known", async () => {
    const error = await run((ctx) => call(ctx, "Hi", { model: "nobody/x" })).catch((thrown: unknown) => thrown);
    expect(String(error)).toContain("There is no provider nobody; there are anthropic, openai, google, gemini.");
    expect(error).toMatchObject({ attempts: 1 });
  });
});

describe("tools", () => {
  const ran: unknown[] = [];
  const divide = defineTool("divide", {
    description: "Divides.",
    input: z.object({ a: z.number(), b: z.number() }),
    retry: { ...quick, maxAttempts: 2 },
    execute: ({ a, b }, { activityId }) => {
      ran.push([activityId, a, b]);
      if (b === 0) throw new Error("not by zero");
      return { quotient: a / b };
    },
  });
  const ask = (...inputs: unknown[]) =>
    modelOf(() => inputs.map((input, index) => ({ id: `c-${index}`, name: "divide", input })));

  it("are executed as steps, all at once; errors are answers", async () => {
    const { value, operations } = await replayed(async (ctx) => {
      const model = ask({ a: 1, b: 2 }, { a: 1, b: 0 }, { a: "one" });
      const response = await call(ctx, "Divide!", { model, tools: [divide] });
      return [hasToolCalls(response), response.finishReason, await executeToolCalls(ctx, [divide], response.toolCalls)];
    });
    expect(operations[0]).toBe("llm_call:1");
    expect(operations.slice(1).toSorted()).toEqual([
      "tool_divide:1",
      "tool_divide:2",
      "tool_divide:2",
      "tool_divide:3",
    ]);
    expect(ran).toHaveLength(3);
    const answers = value[2] as { content: { toolCallId: string; output: { type: string; value: unknown } }[] }[];
    expect(value.slice(0, 2)).toEqual([true, "tool-calls"]);
    expect(answers.map(({ content }) => content[0]?.toolCallId)).toEqual(["c-0", "c-1", "c-2"]);
    const outputs = answers.map(({ content }) => content[0]?.output);
    expect(outputs[0]).toEqual({ type: "json", value: { quotient: 0.5 } });
    expect(outputs[1]).toEqual({ type: "error-text", value: "Error: not by zero" });
    expect(outputs[2]?.value).toMatch(/^Error: The input of tool divide is not valid: a: .*; b: /);
  });

  it("that are not there, or that nobody executes, are errors; nothing is executed", async () => {
    ran.length = 0;
    const bare = defineTool("bare", { description: "Does nothing.", input: z.object({}) });
    const calls = [
      { id: "1", name: "divide", arguments: { a: 1, b: 1 } },
      { id: "2", name: "bare", arguments: {} },
    ];
    await expect(run((ctx) => executeToolCalls(ctx, [divide], calls))).rejects.toThrow(ToolNotFoundError);
    await expect(run((ctx) => executeToolCalls(ctx, [divide, bare], calls))).rejects.toThrow("bare has no `execute`");
    expect(ran).toEqual([]);
  });

  it("must have a name that providers take", () => {
    expect(() => defineTool("no spaces", { description: "", input: title })).toThrow(ValidationError);
  });
});

describe("messages", () => {
  it("are what the AI SDK takes", () => {
    const toolCall = { id: "c", name: "look", arguments: { at: "it" } };
    expect(assistantMessage("", [toolCall])).toEqual({
      role: "assistant",
      content: [{ type: "tool-call", toolCallId: "c", toolName: "look", input: { at: "it" } }],
    });
    expect(assistantMessage("Hm.", [toolCall]).content).toHaveLength(2);
    const output = (value: unknown) => toolMessage(toolCall, value).content[0];
    expect(output("text")).toMatchObject({ output: { type: "text", value: "text" } });
    expect(output({ at: new Date(0), n: 1n })).toMatchObject({
      output: { type: "json", value: { at: "1970-01-01T00:00:00.000Z", n: "1" } },
    });
    expect(output(undefined)).toMatchObject({ output: { type: "json", value: null } });
  });
});

describe("parseStructured", () => {
  const response = { ...resultOf(""), text: "", messages: [] } as never;
  const of = (parts: object) => ({ ...(response as object), ...parts }) as never;

  it("reads data, or else the text", async () => {
    expect(await parseStructured(of({ structured: { title: "T" } }), title)).toEqual({ title: "T" });
    expect(await parseStructured(of({ text: '{"title":"T"}' }), title)).toEqual({ title: "T" });
    expect(await parseStructured(of({ text: '```json\n{"title":"T"}\n```' }), title)).toEqual({ title: "T" });
  });

  it("refuses what is none, or does not fit", async () => {
    await expect(parseStructured(of({ text: "no" }), title)).rejects.toThrow("not JSON");
    await expect(parseStructured(of({ text: "{}" }), title)).rejects.toThrow(ValidationError);
  });
});
