/** Agents: what they remember, and how they use tools. */
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { defineWorkflow, TerminalError, ValidationError } from "../../src/index.ts";
import {
  AgentContext,
  type AgentContextData,
  DurableAgent,
  defineTool,
  type ModelRequest,
  setAppDefaults,
  systemMessage,
  userMessage,
} from "../../src/llm/index.ts";
import { startApp } from "../support/apps.ts";
import { callsOf, lastText, modelOf } from "./support/models.ts";
import { replayed, run } from "./support/replay.ts";

const look = defineTool("look", {
  description: "Looks something up.",
  input: z.object({ word: z.string() }),
  execute: ({ word }) => `${word} is known`,
});

/** Asks for two words, then for one, then tells what it has heard. */
const curious = () =>
  modelOf(({ prompt, toolChoice }, n) => {
    if (toolChoice?.type === "none") return "enough";
    if (n === 1) return ["a", "b"].map((word) => ({ id: word, name: "look", input: { word } }));
    if (n === 2) return [{ id: "c", name: "look", input: { word: "c" } }];
    return `heard ${prompt.filter(({ role }) => role === "tool").length}`;
  });

describe("chat", () => {
  it("remembers what was said, also on replay", async () => {
    const mock = modelOf((request) => `${request.prompt.length}: ${lastText(request)}`);
    const agent = new DurableAgent("helper", { systemMessage: "You help." });
    const { value, operations } = await replayed(
      async (ctx) => {
        const conversation = new AgentContext();
        const texts: string[] = [];
        for (const text of ["one", "two"]) texts.push((await agent.chat(ctx, conversation, text)).text);
        return { texts, said: conversation.messages.map(({ role }) => role) };
      },
      { model: mock },
    );
    expect(value).toEqual({ texts: ["2: one", "4: two"], said: ["user", "assistant", "user", "assistant"] });
    expect(operations).toEqual(["helper_chat:1", "helper_chat:2"]);
    expect(callsOf(mock)).toBe(2);
  });

  it("makes prompt and tools of the conversation's dependencies", async () => {
    const requests: ModelRequest[] = [];
    const mock = modelOf((request) => {
      requests.push(request);
      return "ok";
    });
    const agent = new DurableAgent("shop", {
      model: mock,
      buildPrompt: ({ deps, messages }: AgentContext<{ customer: string }>) => [
        systemMessage(`You serve ${deps.customer}.`),
        ...messages.slice(-1),
      ],
      tools: ({ deps }) => (deps.customer === "Ada" ? [look] : []),
    });
    await replayed(async (ctx) => {
      for (const customer of ["Ada", "Bob"]) {
        const conversation = new AgentContext({ customer });
        conversation.addUserMessage("earlier");
        await agent.chat(ctx, conversation, userMessage("now"));
      }
    });
    expect(requests.map(({ prompt }) => prompt.map(({ role }) => role))).toEqual([
      ["system", "user"],
      ["system", "user"],
    ]);
    expect(requests.map(({ tools }) => tools?.length)).toEqual([1, undefined]);
    expect(requests[1]?.prompt[0]?.content).toBe("You serve Bob.");
  });

  it("leaves the conversation as it was when the call fails", async () => {
    const agent = new DurableAgent("helper", {
      retry: false,
      model: modelOf(() => {
        throw new Error("no");
      }),
    });
    const left = await run(async (ctx) => {
      const conversation = new AgentContext(undefined, [systemMessage("Hi")]);
      await agent.chat(ctx, conversation, "Ho").catch(() => {});
      return conversation.messages.length;
    });
    expect(left).toBe(1);
  });
});

describe("chatWithToolLoop", () => {
  it("executes what the model asks for until it is content, each call a step", async () => {
    const mock = curious();
    const agent = new DurableAgent("reader", { model: mock, tools: [look] });
    const { value, operations } = await replayed(async (ctx) => {
      const conversation = new AgentContext();
      const { text } = await agent.chatWithToolLoop(ctx, conversation, "Read!");
      return { text, said: conversation.messages.map(({ role }) => role) };
    });
    expect(value.text).toBe("heard 2");
    expect(value.said).toEqual(["user", "assistant", "tool", "tool", "assistant", "tool", "assistant"]);
    expect(operations).toEqual([
      "reader_chat:1",
      "reader_tool_look_0:1",
      "reader_tool_look_1:1",
      "reader_tool_continue:1",
      "reader_tool_look_0:2",
      "reader_tool_continue:2",
    ]);
    expect(callsOf(mock)).toBe(3);
  });

  it("ends after so many rounds, with an answer", async () => {
    const agent = new DurableAgent("reader", { model: curious(), tools: [look] });
    const { value } = await replayed(async (ctx) => {
      const { text } = await agent.chatWithToolLoop(ctx, new AgentContext(), "Read!", { maxIterations: 1 });
      return text;
    });
    expect(value).toBe("enough");
    const zero = run((ctx) => agent.chatWithToolLoop(ctx, new AgentContext(), "Read!", { maxIterations: 0 }));
    await expect(zero).rejects.toThrow(ValidationError);
  });

  it("tells the model that a tool is not there", async () => {
    const mock = modelOf(({ prompt }, n) =>
      n === 1 ? [{ id: "x", name: "fly", input: {} }] : JSON.stringify(prompt.at(-1)?.content),
    );
    const agent = new DurableAgent("reader", { model: mock, tools: [look] });
    const { value, operations } = await replayed(async (ctx) => {
      return (await agent.chatWithToolLoop(ctx, new AgentContext(), "Read!")).text;
    });
    expect(value).toContain("Error: The model asked for the tool fly. It was given look.");
    expect(operations).toEqual(["reader_chat:1", "reader_tool_continue:1"]);
  });

  it("leaves nothing of a talk that fails half-way, so that another can begin", async () => {
    const mock = modelOf((request, n) => {
      if (n === 1) return [{ id: "a", name: "look", input: { word: "a" } }];
      if (n === 2) throw new TerminalError("the line is dead");
      return `${request.prompt.length}`;
    });
    const agent = new DurableAgent("reader", { model: mock, tools: [look] });
    const { value } = await replayed(async (ctx) => {
      const conversation = new AgentContext();
      const failed = await agent.chatWithToolLoop(ctx, conversation, "Read!").catch(() => "failed");
      return [failed, conversation.messages.length, (await agent.chat(ctx, conversation, "Again!")).text];
    });
    expect(value).toEqual(["failed", 0, "1"]);
  });

  it("has tools without a function executed by the workflow's own", async () => {
    const bare = defineTool("look", { description: "Looks.", input: z.object({ word: z.string() }) });
    const agent = new DurableAgent("reader", { model: curious(), tools: [bare] });
    const asked: unknown[] = [];
    const { value } = await replayed(async (ctx) => {
      const conversation = new AgentContext();
      const { text } = await agent.chatWithToolLoop(ctx, conversation, "Read!", {
        executor: (call, { attempt }) => {
          asked.push([call.arguments, attempt]);
          return "looked";
        },
      });
      return text;
    });
    expect(value).toBe("heard 2");
    expect(asked).toEqual([
      [{ word: "a" }, 1],
      [{ word: "b" }, 1],
      [{ word: "c" }, 1],
    ]);
  });
});

describe("a conversation", () => {
  it("goes on in the next instance, images and all", async () => {
    const mock = modelOf((request) => `${request.prompt.length}`);
    const agent = new DurableAgent("helper", {});
    const image = new Uint8Array([1, 2, 3]);
    const talk = defineWorkflow("talk", async (ctx, round: number, data: AgentContextData<{ name: string }>) => {
      const conversation = AgentContext.fromJSON(data);
      const content = [{ type: "file" as const, mediaType: "image/png", data: image }];
      const { text } = await agent.chat(ctx, conversation, userMessage(content));
      if (round === 2) return { text, deps: conversation.deps, first: conversation.messages[0] };
      return ctx.recur(round + 1, conversation.toJSON());
    });
    const app = await startApp({ workflows: [talk] });
    setAppDefaults(app, { model: mock });
    const handle = await talk.start(app, 1, new AgentContext({ name: "Ada" }).toJSON());
    expect(await handle.result()).toEqual({
      text: "3",
      deps: { name: "Ada" },
      first: { role: "user", content: [{ type: "file", mediaType: "image/png", data: image }] },
    });
  });

  it("takes messages by hand, those of the system first", () => {
    const conversation = new AgentContext();
    conversation.addUserMessage("Hi");
    conversation.addAssistantMessage("Ho");
    conversation.addSystemMessage("Be kind.");
    expect(conversation.messages.map(({ role }) => role)).toEqual(["system", "user", "assistant"]);
    expect(conversation.toJSON()).toEqual({ deps: undefined, messages: conversation.messages });
  });
});
