/**
 * Traces and figures by OpenTelemetry. Needs the package `@opentelemetry/api`, and an SDK of the user's choice beside it.
 *
 * @module
 */
import { type MeterProvider, metrics, type TracerProvider, trace } from "@opentelemetry/api";
import type { Hooks } from "../index.ts";
import { metricHooks } from "./metrics.ts";
import { spanHooks } from "./spans.ts";

export interface OtelOptions {
  /** Where spans go. Default: the global provider. `false` for none. */
  readonly tracerProvider?: TracerProvider | false;
  /** Where figures go. Default: the global provider. `false` for none. */
  readonly meterProvider?: MeterProvider | false;
}

/** By which the spans and figures are known. */
const NAME = "romancy";

/**
 * Hooks that make spans and figures of what an app is told, and have traces go on in activities, children, events and
 * requests, wherever these are run.
 *
 * @example
 * const app = new Romancy({ database: "workflow.db", workflows: [order], hooks: otelHooks() });
 */
export function otelHooks({ tracerProvider = trace, meterProvider = metrics }: OtelOptions = {}): readonly Hooks[] {
  return [
    ...(tracerProvider ? [spanHooks(tracerProvider.getTracer(NAME))] : []),
    ...(meterProvider ? [metricHooks(meterProvider.getMeter(NAME))] : []),
  ];
}
