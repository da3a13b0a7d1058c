/**
 * A research agent: it looks a topic up, analyses what it found and writes a report. Its process is killed in the middle
 * of the analysis and started again: it goes on there, and no call of the model that was answered is made again.
 *
 *     npm run build
 *     node examples/research-agent.ts "durable execution"
 *
 * It asks Claude when ANTHROPIC_API_KEY is set, else a model that lives in this file and knows nothing.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { createAnthropic } from "@ai-sdk/anthropic";
import { wrapLanguageModel } from "ai";
import { MockLanguageModelV4 } from "ai/test";
import { defineWorkflow, Romancy } from "romancy";
import { AgentContext, DurableAgent, defineDurableCall, defineTool, getUsage, setAppDefaults } from "romancy/llm";
import { z } from "zod";

const lookUp = defineTool("look_up", {
  description: "Looks a subject up in the library.",
  input: z.object({ subject: z.string() }),
  execute: ({ subject }) => `The library has three shelves on ${subject}.`,
});

const researcher = new DurableAgent("research", {
  systemMessage: "You are a researcher. Look the topic up, then list what you have found.",
  tools: [lookUp],
});
const analyse = defineDurableCall("analyse", {
  systemMessage: "You are an analyst. Say what matters in the findings.",
});
const synthesise = defineDurableCall("synthesise", {
  systemMessage: "You are an editor. Write a report of one paragraph.",
  maxTokens: 500,
});

const report = defineWorkflow("report", async (ctx, topic: string) => {
  const findings = await researcher.chatWithToolLoop(ctx, new AgentContext(), `The topic is ${topic}.`);
  const analysis = await analyse(ctx, findings.text);
  const { text } = await synthesise(ctx, `Topic: ${topic}\nFindings: ${findings.text}\nAnalysis: ${analysis.text}`);
  return text;
});

const [topic = "durable execution", role, dieAt] = process.argv.slice(2);
if (role === "worker") await work();
else await direct();

/** Two lives of a worker, the first of which ends in the third call of the model: the analysis. */
async function direct(): Promise<void> {
  await once(fork(new URL(import.meta.url), [topic, "worker", "3"]), "exit");
  console.log("The process was killed. It is started again.");
  await once(fork(new URL(import.meta.url), [topic, "worker"]), "exit");
}

async function work(): Promise<void> {
  const app = new Romancy({ database: "research.db", workflows: [report] });
  setAppDefaults(app, { model: watched(process.env["ANTHROPIC_API_KEY"] ? claude() : simpleton()), timeout: "2m" });
  await app.start();
  const handle = await report.with({ id: `report on ${topic}` }).start(app, topic);
  console.log(`\n${await handle.result()}\n`);
  const { calls, totalTokens } = await getUsage(app, handle.id);
  console.log(`${calls} calls of the model are recorded; they have cost ${totalTokens} tokens.`);
  await app.shutdown();
}

type Model = Parameters<typeof wrapLanguageModel>[0]["model"];

/** Tells of each call before it is made, and does not survive one of them. */
function watched(model: Model): Model {
  let calls = 0;
  return wrapLanguageModel({
    model,
    middleware: {
      specificationVersion: "v4",
      wrapGenerate: async ({ doGenerate, params }) => {
        const [system] = params.prompt;
        console.log(`The model is asked: ${system?.role === "system" ? system.content : ""}`);
        if (++calls === Number(dieAt)) process.kill(process.pid, "SIGKILL");
        return await doGenerate();
      },
    },
  });
}

function claude(): Model {
  return createAnthropic()("claude-sonnet-4-5");
}

/** Looks the topic up once, and else repeats the end of what it was told. */
function simpleton(): Model {
  const usage = {
    inputTokens: { total: 100, noCache: 100, cacheRead: 0, cacheWrite: 0 },
    outputTokens: { total: 20, text: 20, reasoning: 0 },
  };
  return new MockLanguageModelV4({
    doGenerate: async ({ prompt, tools }) => {
      const last = prompt.at(-1);
      const text =
        JSON.stringify(last?.content)
          .match(/[^":.]+\./g)
          ?.at(-1)
          ?.trim() ?? "Nothing.";
      if (last?.role === "user" && tools) {
        const call = { type: "tool-call", toolCallId: "call-1", toolName: "look_up", input: `{"subject":"${topic}"}` };
        const content = [{ ...call, type: "tool-call" as const }];
        return { content, finishReason: { unified: "tool-calls", raw: "tools" }, usage, warnings: [] };
      }
      return { content: [{ type: "text", text }], finishReason: { unified: "stop", raw: "stop" }, usage, warnings: [] };
    },
  });
}
