/** Calls of models in workflows that fail or are cancelled. */
import { generateText, isStepCount, streamText, tool } from "ai";
import { MockLanguageModelV4 } from "ai/test";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { type ActivityOptions, defineWorkflow, TerminalError, type WorkflowContext } from "../../src/index.ts";
import {
  AgentContext,
  call,
  callParse,
  DurableAgent,
  defineTool,
  durableModel,
  durableTools,
  executeToolCalls,
  setAppDefaults,
} from "../../src/llm/index.ts";
import { startApp } from "../support/apps.ts";
import { gate, until } from "../support/wait.ts";
import { modelOf } from "./support/models.ts";

describe("compensations", () => {
  it("undo calls and executions, newest first, with what was asked and what came of it", async () => {
    const undone: unknown[] = [];
    const note = (what: string) => (ctx: { readonly result: unknown }, request: object) => {
      undone.push([what, Object.keys(request).toSorted(), ctx.result]);
    };
    const book = defineTool("book", {
      description: "Books a room.",
      input: z.object({ room: z.number() }),
      execute: ({ room }) => ({ booking: `B-${room}` }),
      compensation: (ctx, { arguments: input }) => void undone.push([ctx.result.booking, input]),
    });
    const pay = tool({ inputSchema: z.object({}), execute: () => "paid" });
    const paying = modelOf((_, n) => (n === 1 ? [{ id: "p", name: "pay", input: {} }] : "done"));
    const trip = defineWorkflow("trip", async (ctx) => {
      await call(ctx, "Plan!", { compensation: note("plan"), model: modelOf(() => "a plan") });
      await executeToolCalls(ctx, [book], [{ id: "b", name: "book", arguments: { room: 7 } }]);
      await generateText({
        model: durableModel(ctx, paying, { compensation: note("model") }),
        tools: durableTools(ctx, { pay }, { compensation: note("pay") }),
        prompt: "Pay!",
        stopWhen: isStepCount(2),
      });
      throw new TerminalError("no flights");
    });
    const app = await startApp({ workflows: [trip] });
    const handle = await trip.start(app);
    await expect(handle.result()).rejects.toThrow("no flights");
    const [last, payment, first, booking, plan, ...more] = undone;
    expect(more).toEqual([]);
    expect([last, first]).toMatchObject([
      ["model", expect.arrayContaining(["prompt"]), { finishReason: { unified: "stop" } }],
      ["model", expect.arrayContaining(["prompt"]), { finishReason: { unified: "tool-calls" } }],
    ]);
    expect(payment).toEqual(["pay", ["input"], "paid"]);
    expect(booking).toEqual(["B-7", { room: 7 }]);
    expect(plan).toMatchObject(["plan", ["messages", "model", "provider"], { text: "a plan" }]);
  });
});

describe("cancelling", () => {
  it("ends the call that is under way, and the loop around it", async () => {
    const begun = gate();
    const aborted = gate();
    const mock = new MockLanguageModelV4({
      doGenerate: ({ abortSignal }) => {
        begun.open();
        return new Promise((_, reject) => {
          abortSignal?.addEventListener("abort", () => {
            aborted.open();
            reject(new Error("aborted"));
          });
        });
      },
    });
    const agent = new DurableAgent("slow", {});
    const talk = defineWorkflow("talk", async (ctx) => {
      await agent.chatWithToolLoop(ctx, new AgentContext(), "Hi");
    });
    const app = await startApp({ workflows: [talk] });
    setAppDefaults(app, { model: mock });
    const handle = await talk.start(app);
    await begun.opened;
    await handle.cancel("enough");
    await aborted.opened;
    await until(async () => (await handle.status()) === "cancelled");
    expect(mock.doGenerateCalls).toHaveLength(1);
  });
});

describe("what is sensitive", () => {
  it("is marked as such, call by call and tool by tool", async () => {
    const marked: [string, boolean | undefined][] = [];
    const ctx = {
      "~operations": {
        app: {},
        activity: async ({ name, options }: { name: string; options: ActivityOptions<[], unknown> }) => {
          marked.push([name, options.sensitive]);
          return { text: "", content: [], chunks: [], messages: [], toolCalls: [], "~usage": {} };
        },
      },
    } as unknown as WorkflowContext;
    const model = modelOf(() => "");
    const secret = defineTool("secret", { description: "", input: z.object({}), execute: () => "", sensitive: true });
    await call(ctx, "Hi", { model, sensitive: true });
    await callParse(ctx, "Hi", z.object({}), { model });
    await durableModel(ctx, model, { sensitive: true }).doGenerate({ prompt: [] });
    await executeToolCalls(ctx, [secret], [{ id: "1", name: "secret", arguments: {} }]);
    const tools = durableTools(
      ctx,
      { look: { ...tool({ inputSchema: z.object({}), execute: () => "" }) } },
      { sensitive: true },
    );
    await tools.look.execute?.({}, { toolCallId: "1", messages: [], context: {} });
    expect(marked).toEqual([
      ["llm_call", true],
      ["llm_call_parse", undefined],
      ["llm_generate", true],
      ["tool_secret", true],
      ["tool_look", true],
    ]);
  });
});

describe("a stream that fails for good", () => {
  it("fails the workflow that reads it, or is caught by it", async () => {
    const failing = new MockLanguageModelV4({
      doStream: async () => {
        throw new TerminalError("no such luck");
      },
    });
    const seen: unknown[] = [];
    const read = defineWorkflow("read", async (ctx) => {
      const stream = streamText({
        model: durableModel(ctx, failing),
        prompt: "Hi",
        onError: ({ error }) => void seen.push(error),
      });
      try {
        return await stream.text;
      } catch {
        return "caught";
      }
    });
    const app = await startApp({ workflows: [read] });
    expect(await (await read.start(app)).result()).toBe("caught");
    expect(seen).toMatchObject([{ name: "ActivityError", activityId: "llm_stream:1", attempts: 1 }]);
  });
});
