import { context, SpanStatusCode, trace } from "@opentelemetry/api";
import { afterEach, describe, expect, it } from "vitest";
import { defineActivity, defineWorkflow, type Hooks, type ReceivedEvent, type Romancy } from "../../src/index.ts";
import { type OtelOptions, otelHooks } from "../../src/otel/index.ts";
import { startApp } from "../support/apps.ts";
import { recordingHooks } from "../support/facts.ts";
import { until } from "../support/wait.ts";
import { factsOf, startTelemetry, type Telemetry, treeOf } from "./telemetry.ts";

let telemetry: Telemetry | undefined;

afterEach(async () => {
  await telemetry?.stop();
  telemetry = undefined;
});

function tracing(options: Parameters<typeof startTelemetry>[0] = {}): {
  telemetry: Telemetry;
  hooks: readonly Hooks[];
} {
  telemetry = startTelemetry(options);
  const { tracerProvider, meterProvider } = telemetry;
  return { telemetry, hooks: otelHooks({ tracerProvider, meterProvider } satisfies OtelOptions) };
}

const charge = defineActivity("charge", (_, amount: number) => amount);
const child = defineWorkflow("child", (ctx) => charge(ctx, 2));

/** Does one of each: an activity, a timer, a child. */
const parent = defineWorkflow("parent", async (ctx) => {
  await charge(ctx, 1);
  await ctx.sleep(1);
  await child(ctx);
});

/** Waits for the end of the instance, and of the app: by then all its spans have ended. */
async function ended(app: Romancy, start: Promise<{ result(): Promise<unknown> }>): Promise<void> {
  await (await start).result().catch(() => {});
  await app.shutdown();
}

describe("spans", () => {
  it("of an instance hang on its start, which hangs on its starter's", async () => {
    const { telemetry, hooks } = tracing();
    const app = await startApp({ workflows: [parent, child], hooks });
    const tracer = telemetry.tracerProvider.getTracer("test");
    await tracer.startActiveSpan("request", async (span) => {
      const handle = await parent.start(app);
      span.end();
      await ended(app, Promise.resolve(handle));
    });
    expect(treeOf(telemetry.spans().map(factsOf))).toEqual([
      "request",
      "  start_workflow/parent",
      "    activity/charge",
      "    event_wait/child",
      "    start_workflow/child",
      "      activity/charge",
      "      workflow/child",
      "    timer/sleep:1",
      "    workflow/parent",
    ]);
    expect(new Set(telemetry.spans().map((span) => span.spanContext().traceId)).size).toBe(1);
  });

  it("say what failed, and link each attempt to the one before", async () => {
    const { telemetry, hooks } = tracing();
    const failing = defineActivity("failing", () => Promise.reject(new TypeError("no")), {
      retry: { maxAttempts: 2, initialInterval: 1 },
    });
    const flow = defineWorkflow("flow", (ctx) => failing(ctx));
    const app = await startApp({ workflows: [flow], hooks });
    await ended(app, flow.start(app));
    const [first, second] = telemetry.spans().filter(({ name }) => name === "activity/failing");
    expect(first?.status).toEqual({ code: SpanStatusCode.ERROR, message: "no" });
    expect(first?.attributes).toMatchObject({ "romancy.activity.attempt": 1, "error.type": "TypeError" });
    expect(first?.events).toMatchObject([{ name: "exception" }]);
    expect(second?.links.map((link) => link.context.spanId)).toEqual([first?.spanContext().spanId]);
    const whole = telemetry.spans().find(({ name }) => name === "workflow/flow");
    expect(whole?.status.code).toBe(SpanStatusCode.ERROR);
    expect(whole?.attributes).toMatchObject({ "romancy.workflow.status": "failed", "romancy.workflow.name": "flow" });
  });

  it("go on in what activities call, and with the events that they and workflows send", async () => {
    const { telemetry, hooks } = tracing();
    const sent: ReceivedEvent<unknown>[] = [];
    const seen: (string | undefined)[] = [];
    const tell = defineActivity("tell", async (ctx) => {
      await Promise.resolve();
      seen.push(trace.getSpanContext(context.active())?.spanId);
      await ctx.sendEvent({ type: "told", data: 1 });
    });
    const flow = defineWorkflow("flow", async (ctx) => {
      await tell(ctx);
      await ctx.sendEvent({ type: "done", data: 2 });
    });
    const app = await startApp({ workflows: [flow], hooks, publisher: (event) => void sent.push(event) });
    await (await flow.start(app)).result();
    await until(() => sent.length === 2);
    await app.shutdown();
    const idOf = (name: string) =>
      telemetry
        .spans()
        .find((span) => span.name === name)
        ?.spanContext().spanId;
    expect(seen).toEqual([idOf("activity/tell")]);
    expect(sent.map(({ extensions }) => extensions["traceparent"])).toEqual([
      expect.stringContaining(`-${idOf("activity/tell")}-`),
      expect.stringContaining(`-${idOf("start_workflow/flow")}-`),
    ]);
    expect(treeOf(telemetry.spans().map(factsOf)).filter((line) => line.includes("send/"))).toEqual([
      "    send/told",
      "  send/done",
    ]);
  });

  it("go on from the request that brings an event, in the handler that it starts", async () => {
    const { telemetry, hooks } = tracing();
    const handler = defineWorkflow("order.placed", (ctx) => charge(ctx, 1), { eventHandler: true });
    const app = await startApp({ workflows: [handler], hooks });
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const headers = { "content-type": "application/cloudevents+json", traceparent };
    const event = { specversion: "1.0", type: "order.placed", source: "shop", id: "e-1", data: {} };
    const request = new Request("http://localhost/", { method: "POST", headers, body: JSON.stringify(event) });
    expect((await app.fetch(request)).status).toBe(202);
    await until(() => telemetry.spans().some(({ name }) => name === "workflow/order.placed"));
    const traces = new Set(telemetry.spans().map((span) => span.spanContext().traceId));
    expect([...traces]).toEqual(["4bf92f3577b34da6a3ce929d0e0e4736"]);
  });

  it("are linked to the event that a wait was answered with", async () => {
    const { telemetry, hooks } = tracing();
    const flow = defineWorkflow("flow", (ctx) => ctx.waitEvent("paid"), { events: ["paid"] });
    const app = await startApp({ workflows: [flow], hooks });
    const handle = await flow.start(app);
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    await app.sendEvent({ type: "paid", source: "psp", id: "e-1", data: 1, traceparent });
    await ended(app, Promise.resolve(handle));
    const wait = telemetry.spans().find(({ name }) => name === "event_wait/paid");
    expect(wait?.links.map((link) => link.context.spanId)).toEqual(["00f067aa0ba902b7"]);
  });

  it("of an instance that is in no trace are in none of what goes on around them", async () => {
    const { telemetry, hooks } = tracing();
    const client = await startApp({ worker: false });
    const handle = await parent.start(client);
    const tracer = telemetry.tracerProvider.getTracer("test");
    await tracer.startActiveSpan("boot", async (span) => {
      await ended(await startApp({ workflows: [parent, child], hooks }), Promise.resolve(handle));
      span.end();
    });
    expect(treeOf(telemetry.spans().map(factsOf))).toEqual([
      "activity/charge",
      "boot",
      "event_wait/child",
      "start_workflow/child",
      "  activity/charge",
      "  workflow/child",
      "timer/sleep:1",
      "workflow/parent",
    ]);
  });

  it("end, whatever was thrown", async () => {
    const { telemetry, hooks } = tracing();
    const failing = defineActivity("failing", () => Promise.reject(Object.create(null) as Error), { retry: false });
    const flow = defineWorkflow("flow", (ctx) => failing(ctx));
    const app = await startApp({ workflows: [flow], hooks });
    await ended(app, flow.start(app));
    const span = telemetry.spans().find(({ name }) => name === "activity/failing");
    expect(span?.status).toEqual({ code: SpanStatusCode.ERROR, message: "object" });
  });

  it("are none without an SDK, and nothing is kept then", async () => {
    const { hooks, of } = recordingHooks();
    const flow = defineWorkflow("flow", (ctx) => charge(ctx, 1));
    const app = await startApp({ workflows: [flow], hooks: [...otelHooks(), hooks] });
    await ended(app, flow.start(app));
    expect(of("onWorkflowComplete")).toMatchObject([{ traceContext: undefined }]);
  });

  it("carry the state of a trace, with and without a propagator", async () => {
    for (const withPropagator of [true, false]) {
      const { telemetry, hooks } = tracing({ withPropagator });
      const seen = recordingHooks();
      const placed = defineWorkflow("placed", () => 1, { eventHandler: true });
      const app = await startApp({ workflows: [placed], hooks: [...hooks, seen.hooks] });
      const carried = { traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", tracestate: "v=1" };
      await app.sendEvent({ type: "placed", source: "shop", id: `e-${withPropagator}`, data: 1, ...carried });
      await app.shutdown();
      expect(seen.of("onWorkflowStart")).toMatchObject([{ traceContext: { tracestate: "v=1" } }]);
      await telemetry.stop();
    }
  });

  it("need no propagator of an SDK's", async () => {
    const { telemetry, hooks } = tracing({ withPropagator: false });
    const flow = defineWorkflow("flow", (ctx) => charge(ctx, 1));
    const app = await startApp({ workflows: [flow], hooks });
    await ended(app, flow.start(app));
    expect(treeOf(telemetry.spans().map(factsOf))).toEqual([
      "start_workflow/flow",
      "  activity/charge",
      "  workflow/flow",
    ]);
  });
});

describe("figures", () => {
  it("count what was run, and how it came out", async () => {
    const { telemetry, hooks } = tracing();
    const flow = defineWorkflow("flow", (ctx) => charge(ctx, 1));
    const app = await startApp({ workflows: [flow], hooks });
    await (await flow.start(app)).result();
    await ended(app, flow.start(app));
    const ofFlow = { "romancy.workflow.name": "flow" };
    expect(await telemetry.figure("romancy.workflow.started", ofFlow)).toBe(2);
    expect(await telemetry.figure("romancy.workflow.completed", ofFlow)).toBe(2);
    expect(
      await telemetry.figure("romancy.workflow.duration", { ...ofFlow, "romancy.workflow.status": "completed" }),
    ).toBe(2);
    expect(await telemetry.figure("romancy.activity.executed", { "romancy.activity.name": "charge" })).toBe(2);
    expect(await telemetry.figure("romancy.instance.active")).toBe(0);
    expect(await telemetry.figure("romancy.commit.changes")).toBeGreaterThan(0);
  });
});
