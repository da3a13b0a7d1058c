/** Errors inside of errors, as HTTP clients make them. */
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { decode, encode, encodeThrown } from "../../src/core/codec.ts";
import { SerializationError } from "../../src/core/errors.ts";

const again = (error: Error): Error & Record<string, unknown> => decode(encodeThrown(error)) as never;

/** An error that refers to its request, which refers to itself. */
function httpError(): Error {
  const request: Record<string, unknown> = {};
  request["response"] = { request };
  return Object.assign(new Error("Request failed"), { code: "ERR_BAD_REQUEST", request });
}

describe("an error inside of an error", () => {
  it("is kept without a field that has a cycle", () => {
    expect(again(httpError())).toMatchObject({ message: "Request failed", code: "ERR_BAD_REQUEST" });
    expect(again(new Error("charge failed", { cause: httpError() })).cause).toMatchObject({
      message: "Request failed",
    });
  });

  it("is kept without a field that has a key that is refused", () => {
    const cause = Object.assign(new Error("inner"), { code: "E", meta: { constructor: 1 } });
    expect(again(new Error("outer", { cause })).cause).toMatchObject({ message: "inner", code: "E" });
  });

  it("is kept as a member of an AggregateError", () => {
    const error = again(new AggregateError([httpError()])) as unknown as AggregateError;
    expect(error.errors).toMatchObject([{ message: "Request failed" }]);
  });

  it("does not hide a refused key beside it", () => {
    const value = { error: httpError(), inner: { constructor: 1 } };
    expect(() => encode(value, "It")).toThrow(SerializationError);
  });

  it("keeps rich members of an object of another realm", () => {
    const data: unknown = runInNewContext("({ n: NaN })");
    expect(again(Object.assign(new Error("x"), { data }))["data"]).toEqual({ n: Number.NaN });
  });

  it("nor does any depth of nesting give anything but a SerializationError", () => {
    let deep: unknown = 1;
    const refusals = new Set<unknown>();
    for (let depth = 0; depth < 12_000; depth++) {
      deep = [deep];
      if (depth % 100 === 0) refusals.add(refusalOf(deep));
    }
    expect([...refusals]).toEqual([undefined, "SerializationError"]);
  });
});

function refusalOf(value: unknown): string | undefined {
  try {
    encode(value, "It");
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.name : "no error";
  }
}
