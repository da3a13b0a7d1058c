/** Between what Romancy keeps of a trace and OpenTelemetry's contexts. */
import {
  type Context,
  createTraceState,
  isSpanContextValid,
  propagation,
  ROOT_CONTEXT,
  trace,
} from "@opentelemetry/api";
import type { TraceContext } from "../index.ts";

/** The context that was kept; none when nothing was. */
export function contextFrom(kept: TraceContext | undefined): Context {
  if (!kept) return ROOT_CONTEXT;
  return hasPropagator() ? propagation.extract(ROOT_CONTEXT, kept) : extract(kept);
}

/** What is to be kept of the context; `undefined` when it is in no trace. */
export function keepOf(present: Context): TraceContext | undefined {
  const kept: Record<string, string> = {};
  if (hasPropagator()) propagation.inject(present, kept);
  else inject(present, kept);
  return Object.keys(kept).length > 0 ? kept : undefined;
}

/** Without an SDK's, which knows other formats too, the one that everybody knows is used. */
function hasPropagator(): boolean {
  return propagation.fields().length > 0;
}

/** https://www.w3.org/TR/trace-context/#traceparent-header */
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

function inject(present: Context, kept: Record<string, string>): void {
  const span = trace.getSpanContext(present);
  if (!span || !isSpanContextValid(span)) return;
  const flags = span.traceFlags.toString(16).padStart(2, "0");
  kept["traceparent"] = `00-${span.traceId}-${span.spanId}-${flags}`;
  const state = span.traceState?.serialize();
  if (state) kept["tracestate"] = state;
}

function extract({ traceparent = "", tracestate }: TraceContext): Context {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(traceparent) ?? [];
  if (!traceId || !spanId || !flags) return ROOT_CONTEXT;
  const span = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
  const state = tracestate ? { traceState: createTraceState(tracestate) } : {};
  return trace.setSpanContext(ROOT_CONTEXT, { ...span, ...state });
}
