import { describe, expect, it } from "vitest";
import { decode, encode, encodeThrown } from "../../src/core/codec.ts";
import { assembleError, dismantleError } from "../../src/core/error-parts.ts";
import { ActivityError, NonDeterminismError, RomancyError, ValidationError } from "../../src/core/errors.ts";

const again = (error: Error): Error & Record<string, unknown> => decode(encode(error, "It")) as never;

function chain(length: number): Error {
  let error = new Error("0");
  for (let index = 1; index < length; index++) error = new Error(String(index), { cause: error });
  return error;
}

function depthOf(error: unknown): number {
  return error instanceof Error ? 1 + depthOf(error.cause) : 0;
}

describe("an error that was stored", () => {
  it("is of its class again, if that is one of the language's or of ours", () => {
    expect(again(new RangeError("x"))).toBeInstanceOf(RangeError);
    expect(again(new ActivityError("a", "a:1", 2, new TypeError("y")))).toBeInstanceOf(ActivityError);
    expect(again(new NonDeterminismError(1, "x", "y"))).toMatchObject({ position: 1, code: "NON_DETERMINISM" });
    expect(again(new ActivityError("a", "a:1", 2, new TypeError("y"))).cause).toBeInstanceOf(TypeError);
  });

  it("keeps its name if its class is not known, or only sounds like one of ours", () => {
    class CardError extends Error {
      override name = "CardError";
    }
    const error = again(new CardError("x"));
    expect(error).toMatchObject({ name: "CardError", message: "x" });
    expect(String(error)).toBe("CardError: x");
    const impostor = Object.assign(new Error("x"), { name: "ValidationError" });
    expect(again(impostor)).not.toBeInstanceOf(RomancyError);
    expect(again(Object.assign(new Error("x"), { name: "messageOf", code: "X" })).constructor).toBe(Error);
  });

  it("keeps its stack, cut to the top frames", () => {
    const error = new Error("x");
    expect(again(error).stack).toBe(error.stack?.slice(0, 2_000));
    error.stack = "x".repeat(5_000);
    expect(again(error).stack).toHaveLength(2_000);
    Object.defineProperty(error, "stack", { value: undefined });
    expect(again(error).stack).toBe("Error: x");
  });

  it("keeps its data, but for what cannot be stored", () => {
    const error = Object.assign(new Error("x"), { status: 404, at: new Date(0), socket: () => 1, nothing: undefined });
    expect(Object.entries(again(error))).toEqual([
      ["status", 404],
      ["at", new Date(0)],
    ]);
    expect(Object.keys(again(new Error("x", { cause: 1 })))).toEqual([]);
  });

  it("keeps a code that only its class has", () => {
    const aborted = again(new DOMException("x", "AbortError"));
    expect(aborted).toMatchObject({ name: "AbortError", message: "x", code: 20 });
    class Coded extends Error {
      get code(): unknown {
        return () => 1;
      }
    }
    expect("code" in again(new Coded("x"))).toBe(false);
  });

  it("keeps its members, if it is an AggregateError", () => {
    const error = again(new AggregateError([new TypeError("a"), 1, () => 1], "many")) as unknown as AggregateError;
    expect(error).toBeInstanceOf(AggregateError);
    expect(error.errors).toEqual([new TypeError("a"), 1, undefined]);
  });

  it("keeps a cause of any kind, and cuts a chain without end", () => {
    expect(again(new Error("x", { cause: { a: 1n } })).cause).toEqual({ a: 1n });
    expect("cause" in again(new Error("x", { cause: () => 1 }))).toBe(false);
    const circle = new Error("x");
    circle.cause = new Error("y", { cause: circle });
    const { cause } = again(circle) as Error & { cause: Error };
    expect(cause).toMatchObject({ name: "Error", message: "y" });
    expect("cause" in cause).toBe(false);
    expect(depthOf(again(chain(15)))).toBe(15);
  });

  it("is not changed by keys that are special to the language", () => {
    const parts = dismantleError(Object.assign(new Error("x"), JSON.parse('{"__proto__":{"a":1}}')));
    expect(parts.fields).toBeUndefined();
    expect(assembleError({ name: "Error", message: "x" })).toEqual(new Error("x"));
  });
});

describe("what is awkward about an error", () => {
  it("keeps the first of a chain longer than 16 causes", () => {
    expect(depthOf(again(chain(20)))).toBeGreaterThan(1);
  });

  it("keeps a field named errors that is its own", () => {
    expect(again(Object.assign(new Error("x"), { errors: [{ path: "a" }] }))["errors"]).toEqual([{ path: "a" }]);
  });

  it("does not make one of ours out of a user's error with one of our names", () => {
    const error = Object.assign(new Error("x"), { name: "ValidationError", code: 11_000 });
    expect(again(error)).not.toBeInstanceOf(ValidationError);
  });

  it("leaves out a field with a key that is refused, and no other", () => {
    const error = Object.assign(new Error("x"), { code: "E_CARD", meta: { constructor: 1 } });
    expect(decode(encodeThrown(error))).toMatchObject({ code: "E_CARD" });
  });

  it("leaves out a field that throws when read, and no other", () => {
    const error = Object.assign(new Error("x"), { code: "E_CARD" });
    const get = (): never => {
      throw new Error("no");
    };
    Object.defineProperty(error, "lazy", { get, enumerable: true });
    expect(decode(encodeThrown(error))).toMatchObject({ code: "E_CARD" });
  });

  it("keeps the places of an AggregateError's members", () => {
    const error = again(new AggregateError([undefined, 1])) as unknown as AggregateError;
    expect(error.errors[1]).toBe(1);
  });
});
