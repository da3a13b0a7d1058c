/** The context in which traces go on (https://www.w3.org/TR/trace-context/), as it is kept and as events carry it. */
import type { OutgoingEvent } from "./action.ts";
import type { MessageAttributes } from "./history.ts";

/** Where a trace goes on: `traceparent`, `tracestate` and the like. */
export type TraceContext = Readonly<Record<string, string>>;

/** What an event may carry (https://github.com/cloudevents/spec/blob/main/cloudevents/extensions/distributed-tracing.md). */
const CARRIED = ["traceparent", "tracestate", "baggage"] as const;

/** What is kept with an instance; nothing if it cannot be read, which is no reason not to run the instance. */
export function contextOf(text: string | undefined): TraceContext | undefined {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as TraceContext;
  } catch {
    return undefined;
  }
}

/** What came with an event or a request; `undefined` when nothing did. */
export function carriedBy(attribute: (name: string) => unknown): TraceContext | undefined {
  const carried = CARRIED.flatMap((name) => {
    const value = attribute(name);
    return typeof value === "string" && value !== "" ? [[name, value] as const] : [];
  });
  return carried.some(([name]) => name === "traceparent") ? Object.fromEntries(carried) : undefined;
}

/** What came with an event, of which these are extensions. */
export function carriedByEvent({ extensions }: MessageAttributes): TraceContext | undefined {
  const given = (extensions ?? {}) as Readonly<Record<string, unknown>>;
  return carriedBy((name) => given[name]);
}

/** The event with the context; what users have given it stays. */
export function withTrace(event: OutgoingEvent, context: TraceContext | undefined): OutgoingEvent {
  const { attributes } = event;
  if (!context || carriedByEvent(attributes)) return event;
  const carried = carriedBy((name) => context[name]);
  if (!carried) return event;
  const extensions = { ...(attributes["extensions"] as object | undefined), ...carried };
  return { ...event, attributes: { ...attributes, extensions } };
}
