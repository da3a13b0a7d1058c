import { generateText, ToolLoopAgent, tool } from "ai";
import { describe, expectTypeOf, test } from "vitest";
import { z } from "zod";
import type { Romancy, WorkflowContext } from "../../src/index.ts";
import {
  AgentContext,
  call,
  callMessagesParse,
  callParse,
  DurableAgent,
  type DurableResponse,
  defineDurableCall,
  defineTool,
  durableModel,
  durableTool,
  durableTools,
  executeToolCalls,
  getUsage,
  type Message,
  parseStructured,
  setAppDefaults,
  type TotalUsage,
  usageSoFar,
  userMessage,
} from "../../src/llm/index.ts";

declare const ctx: WorkflowContext;
declare const app: Romancy;
declare const response: DurableResponse;

const person = z.object({ name: z.string(), age: z.number() });
type Person = z.infer<typeof person>;

describe("calls", () => {
  test("give a response, or what the schema says", () => {
    expectTypeOf(call(ctx, "Hi")).toEqualTypeOf<Promise<DurableResponse>>();
    expectTypeOf(callParse(ctx, "Who?", person)).toEqualTypeOf<Promise<Person>>();
    expectTypeOf(callMessagesParse(ctx, [userMessage("Who?")], person)).toEqualTypeOf<Promise<Person>>();
    expectTypeOf(parseStructured(response, person)).toEqualTypeOf<Promise<Person>>();
    expectTypeOf(response.toolCalls[0]?.arguments).toBeUnknown();
  });

  test("may be undone", () => {
    void call(ctx, "Hi", {
      compensation: (undo, { messages, provider }) => {
        expectTypeOf(undo.result).toEqualTypeOf<DurableResponse>();
        expectTypeOf(messages).toEqualTypeOf<readonly Message[]>();
        expectTypeOf(provider).toBeString();
      },
    });
  });

  test("may be defined", () => {
    const ask = defineDurableCall("ask", { model: "openai/gpt-5", timeout: "30s", retry: false });
    expectTypeOf(ask(ctx, "Hi")).toEqualTypeOf<Promise<DurableResponse>>();
    expectTypeOf(ask.parse(ctx, "Who?", person, { id: "who" })).toEqualTypeOf<Promise<Person>>();
    expectTypeOf(ask.messagesParse(ctx, [], person)).toEqualTypeOf<Promise<Person>>();
  });

  test("refuse what does not fit", () => {
    // @ts-expect-error an app is not a workflow's context
    void call(app, "Hi");
    // @ts-expect-error not an option
    void call(ctx, "Hi", { maxOutputTokens: 5 });
    // @ts-expect-error not a duration
    void call(ctx, "Hi", { timeout: "soon" });
    // @ts-expect-error a definition has no operation's id
    defineDurableCall("ask", { id: "a" });
    // @ts-expect-error providers belong to an app
    void call(ctx, "Hi", { providers: {} });
  });
});

describe("tools", () => {
  test("infer their input from the schema", () => {
    const greet = defineTool("greet", {
      description: "Greets.",
      input: person,
      execute: ({ name, age }, { signal }) => {
        expectTypeOf(name).toBeString();
        expectTypeOf(age).toBeNumber();
        expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
        return name;
      },
    });
    defineTool("book", {
      description: "Books.",
      input: person,
      execute: ({ name }) => ({ booking: name }),
      compensation: (undo, { arguments: input }) => {
        expectTypeOf(undo.result).toEqualTypeOf<{ booking: string }>();
        expectTypeOf(input).toBeUnknown();
      },
    });
    expectTypeOf(executeToolCalls(ctx, [greet], response.toolCalls)).toEqualTypeOf<Promise<Message[]>>();
    void call(ctx, "Hi", { tools: [greet] });
  });
});

describe("agents", () => {
  test("know their dependencies", () => {
    const agent = new DurableAgent("helper", {
      buildPrompt: ({ deps, messages }: AgentContext<{ user: string }>) => {
        expectTypeOf(deps.user).toBeString();
        return messages;
      },
    });
    expectTypeOf(agent.chat(ctx, new AgentContext({ user: "Ada" }), "Hi")).toEqualTypeOf<Promise<DurableResponse>>();
    // @ts-expect-error another conversation
    void agent.chat(ctx, new AgentContext({ name: "Ada" }), "Hi");
    // @ts-expect-error a conversation that needs dependencies is made with them
    void agent.chat(ctx, new AgentContext(), "Hi");
    void new DurableAgent("any").chat(ctx, new AgentContext(), "Hi");
  });
});

describe("the AI SDK", () => {
  const add = tool({ inputSchema: z.object({ a: z.number() }), execute: ({ a }) => a + 1 });

  test("takes durable models and tools for its own", () => {
    const model = durableModel(ctx, "anthropic/claude-sonnet-4-5", { timeout: "2m" });
    expectTypeOf(durableTool(ctx, add, { name: "add" })).toEqualTypeOf<typeof add>();
    const tools = durableTools(ctx, { add });
    expectTypeOf(tools.add).toEqualTypeOf<typeof add>();
    void generateText({ model, prompt: "Hi", tools });
    void new ToolLoopAgent({ model, tools }).generate({ prompt: "Hi" });
    void durableModel(ctx, model);
  });
});

describe("what was used", () => {
  test("is known inside and outside", () => {
    expectTypeOf(usageSoFar(ctx)).toEqualTypeOf<TotalUsage>();
    expectTypeOf(getUsage(app, "id")).toEqualTypeOf<Promise<TotalUsage>>();
    setAppDefaults(app, { model: "google/gemini-2.5-flash", providers: {} });
  });
});
