import { describe, expect, it } from "vitest";
import { carriedBy, carriedByEvent, contextOf, withTrace } from "../../src/core/trace-context.ts";

const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

describe("a trace's context", () => {
  it("is what is kept, if anything is", () => {
    expect(contextOf(undefined)).toBeUndefined();
    expect(contextOf(JSON.stringify({ traceparent }))).toEqual({ traceparent });
  });

  it("is taken from what carries it, and is none without a parent", () => {
    const headers: Record<string, unknown> = { traceparent, tracestate: "a=1", other: "x", baggage: "" };
    expect(carriedBy((name) => headers[name])).toEqual({ traceparent, tracestate: "a=1" });
    expect(carriedBy((name) => (name === "tracestate" ? "a=1" : null))).toBeUndefined();
    expect(carriedBy(() => 7)).toBeUndefined();
    expect(carriedByEvent({ type: "paid", extensions: { traceparent } })).toEqual({ traceparent });
    expect(carriedByEvent({ type: "paid" })).toBeUndefined();
  });

  it("goes with an event that has none of its own", () => {
    const event = { id: "1", attributes: { type: "paid" }, body: null, isBinary: false, at: 1 };
    const own = { ...event, attributes: { type: "paid", extensions: { traceparent: "mine" } } };
    expect(withTrace(event, { traceparent }).attributes).toEqual({ type: "paid", extensions: { traceparent } });
    expect(withTrace(own, { traceparent })).toBe(own);
    expect(withTrace(event, undefined)).toBe(event);
    expect(withTrace(event, { "x-trace": "1" })).toBe(event);
  });
});
