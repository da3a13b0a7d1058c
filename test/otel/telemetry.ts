/** OpenTelemetry's own SDK, with exporters that keep all in memory. */
import { context, propagation } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";

export interface Telemetry {
  readonly tracerProvider: TracerProvider;
  readonly meterProvider: MeterProvider;
  /** All that have ended. */
  spans(): ReadableSpan[];
  /** The sum, or the count, of a figure by its name and attributes. */
  figure(name: string, attributes?: Readonly<Record<string, unknown>>): Promise<number>;
  stop(): Promise<void>;
}

export function startTelemetry({ withPropagator = true } = {}): Telemetry {
  const exporter = new InMemorySpanExporter();
  const tracerProvider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  const metrics = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter: metrics, exportIntervalMillis: 1_000_000 });
  const meterProvider = new MeterProvider({ readers: [reader] });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  if (withPropagator) propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  return {
    tracerProvider,
    meterProvider,
    spans: () => exporter.getFinishedSpans(),
    async figure(name, attributes = {}) {
      await reader.forceFlush();
      const points = (metrics.getMetrics().at(-1)?.scopeMetrics ?? [])
        .flatMap((scope) => scope.metrics)
        .filter(({ descriptor }) => descriptor.name === name)
        .flatMap(({ dataPoints }): readonly { attributes: object; value: unknown }[] => dataPoints);
      const wanted = points.filter((point) =>
        Object.entries(attributes).every(
          ([key, value]) => (point.attributes as Record<string, unknown>)[key] === value,
        ),
      );
      const amounts = wanted.map(({ value }) =>
        typeof value === "number" ? value : (value as { count: number }).count,
      );
      return amounts.reduce((sum, amount) => sum + amount, 0);
    },
    async stop() {
      await meterProvider.shutdown();
      await tracerProvider.shutdown();
      context.disable();
      propagation.disable();
    },
  };
}

/** Each span below its parent, in the order of their names; what has no parent here is at the top. */
export function treeOf(spans: readonly SpanFacts[]): string[] {
  const ordered = spans.toSorted((a, b) => a.name.localeCompare(b.name));
  const known = new Set(spans.map(({ id }) => id));
  const below = (parent: string | undefined, depth: number): string[] =>
    ordered
      .filter(({ parentId }) => (parent === undefined ? !known.has(parentId ?? "") : parentId === parent))
      .flatMap((span) => [`${"  ".repeat(depth)}${span.name}`, ...below(span.id, depth + 1)]);
  return below(undefined, 0);
}

export interface SpanFacts {
  readonly name: string;
  readonly id: string;
  readonly traceId: string;
  readonly parentId: string | undefined;
}

export function factsOf(span: ReadableSpan): SpanFacts {
  const { spanId: id, traceId } = span.spanContext();
  return { name: span.name, id, traceId, parentId: span.parentSpanContext?.spanId };
}
