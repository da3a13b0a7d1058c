/** What hooks and spans see of calls that are sensitive, and of those that are not. */
import { expect, it } from "vitest";
import { z } from "zod";
import { defineWorkflow } from "../../src/index.ts";
import { call, defineTool, executeToolCalls } from "../../src/llm/index.ts";
import { otelHooks } from "../../src/otel/index.ts";
import { startTelemetry } from "../otel/telemetry.ts";
import { startApp } from "../support/apps.ts";
import { recordingHooks } from "../support/facts.ts";
import { modelOf } from "./support/models.ts";

it("is nothing of prompts, answers, what tools are given and what they give", async () => {
  const model = modelOf(() => "an answer of gold");
  const telemetry = startTelemetry();
  const { hooks, told } = recordingHooks();
  const dig = (sensitive: boolean) =>
    defineTool("dig", {
      description: "",
      input: z.object({ where: z.string() }),
      execute: ({ where }) => `gold in ${where}`,
      sensitive,
    });
  const search = async (sensitive: boolean): Promise<string> => {
    const flow = defineWorkflow("search", async (ctx) => {
      await call(ctx, "Where is the gold?", { model, sensitive });
      await executeToolCalls(ctx, [dig(sensitive)], [{ id: "1", name: "dig", arguments: { where: "gold hill" } }]);
    });
    const { tracerProvider } = telemetry;
    const app = await startApp({ workflows: [flow], hooks: [hooks, ...otelHooks({ tracerProvider })] });
    told.length = 0;
    await (await flow.start(app)).result();
    await app.shutdown();
    return JSON.stringify([
      told,
      telemetry.spans().map(({ name, attributes, events }) => ({ name, attributes, events })),
    ]);
  };
  expect(await search(true)).not.toContain("gold");
  expect(await search(false)).toContain("gold");
  await telemetry.stop();
});
