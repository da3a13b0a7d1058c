/** Watches an order by hooks, by figures for Prometheus, and by a trace. */
import { context } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { defineActivity, defineWorkflow, type Hooks, Romancy } from "romancy";
import { otelHooks } from "romancy/otel";

const charge = defineActivity(
  "charge",
  (ctx, amount: number) => {
    if (ctx.attempt === 1) throw new Error("The bank does not answer");
    return { charged: amount };
  },
  { retry: { initialInterval: "10ms" } },
);
const order = defineWorkflow("order", async (ctx, amount: number) => {
  await ctx.sleep("20ms");
  return charge(ctx, amount);
});

// What an SDK does: see https://opentelemetry.io/docs/languages/js/getting-started/nodejs/
const exporter = new InMemorySpanExporter();
const tracerProvider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());

const talking: Hooks = {
  onActivityRetry: ({ activityName, attempt, error }) =>
    console.log(`${activityName}, attempt ${attempt}: ${String(error)}`),
  onWorkflowComplete: ({ workflowName, output }) => console.log(`${workflowName}: ${JSON.stringify(output)}`),
};

const app = new Romancy({
  database: "watching.db",
  workflows: [order],
  hooks: [talking, ...otelHooks({ tracerProvider })],
});
await app.start();
await (await order.start(app, 99)).result();

const figures = await (await app.fetch(new Request("http://localhost/metrics"))).text();
for (const line of figures.split("\n")) if (line.startsWith("romancy_activity_attempts")) console.log(line);
await app.shutdown();

const spans = exporter.getFinishedSpans();
const root = spans.find((span) => !span.parentSpanContext);
for (const span of spans) console.log(span === root ? span.name : `  ${span.name}`);
