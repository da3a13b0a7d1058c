import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encode } from "../../src/core/codec.ts";
import { SerializationError } from "../../src/core/errors.ts";
import { inspect } from "../../src/core/storable.ts";
import { check } from "./check.ts";

const isRich = (value: unknown): boolean => inspect(value, "", [], "It");

function refusal(value: unknown): SerializationError {
  try {
    encode(value, "It");
  } catch (error) {
    if (error instanceof SerializationError) return error;
    throw error;
  }
  throw new Error("It was stored.");
}

const circle: unknown[] = [];
circle.push({ circle });

describe("inspect", () => {
  it.each([1, 0, "", "x", true, null, [], {}, [[{ a: [1] }]], Object.create(null)])("takes %j for plain", (value) => {
    expect(isRich(value)).toBe(false);
  });

  it.each([
    undefined,
    1n,
    Number.NaN,
    Infinity,
    -0,
    new Date(0),
    new Map(),
    new Set(),
    new Uint8Array(1),
    Buffer.from("x"),
    new URL("http://a"),
    new Error("x"),
  ])("takes %s for rich, at any depth", (value) => {
    expect(isRich(value)).toBe(true);
    expect(isRich([1, value, 1])).toBe(true);
    expect(isRich({ a: 1, b: { value }, c: 1 })).toBe(true);
  });

  it("does not take a shared object for a cycle", () => {
    const shared = { a: 1 };
    expect(isRich([shared, shared, { shared }])).toBe(false);
  });
});

class Money {
  readonly amount = 1;
}

const headless: unknown = Object.create(Object.create(Object.create(null)));
const nameless: unknown = new (class {
  readonly amount = 1;
})();

describe("what cannot be stored", () => {
  it.each<[string, unknown, string]>([
    ["a function", () => 1, "is a function"],
    ["a symbol", Symbol("s"), "is a symbol"],
    ["a class instance", new Money(), "is an instance of Money"],
    ["a nameless class", nameless, "is an instance of a class"],
    ["an instance without constructor", headless, "is an instance of a class"],
    ["an invalid date", new Date(Number.NaN), "is an invalid Date"],
    ["a symbol key", { [Symbol("s")]: 1 }, "has a symbol as a key"],
    ["a boxed number", Object(1), "is an instance of Number"],
    ["a regular expression", /x/, "is an instance of RegExp"],
    ["a weak map", new WeakMap(), "is an instance of WeakMap"],
    ["a promise", Promise.resolve(), "is an instance of Promise"],
    ["other typed arrays", new Float64Array(1), "is an instance of Float64Array"],
    ["bytes without a view", new ArrayBuffer(1), "is an instance of ArrayBuffer"],
  ])("%s is refused", (_, value, problem) => {
    expect(refusal(value).path).toBe("");
    expect(refusal(value).message).toContain(problem);
  });

  it("a cycle is refused", () => {
    expect(refusal(circle)).toMatchObject({ path: "[0].circle" });
    expect(refusal(circle).message).toContain("refers back to an object that contains it");
  });

  it("is named by its path in maps and sets", () => {
    expect(refusal(new Map([[1, { f: refusal }]])).path).toBe(".values()[0].f");
    expect(
      refusal({
        m: new Map<unknown, number>([
          [1, 1],
          [[refusal], 1],
        ]),
      }).path,
    ).toBe("m.keys()[1][0]");
    expect(refusal({ s: new Set<unknown>([1, [refusal]]) }).path).toBe("s.values()[1][0]");
  });

  it("is named by its path, however deep", () => {
    const places = fc.array(fc.oneof(fc.nat(3), fc.stringMatching(/^[a-z]{1,3}$/)), { minLength: 1, maxLength: 8 });
    check(
      fc.property(places, fc.constantFrom<unknown>(refusal, new Money(), Symbol("s")), (path, bad) => {
        const value = path.reduceRight<unknown>((inner, key) => wrap(inner, key), bad);
        expect(refusal(value).path).toBe(
          path
            .map((key) => (typeof key === "number" ? `[${key}]` : `.${key}`))
            .join("")
            .replace(/^\./, ""),
        );
      }),
    );
  });

  it("under an empty key, the path says nothing", () => {
    expect(refusal({ "": refusal }).path).not.toBe("");
  });
});

function wrap(inner: unknown, key: number | string): unknown {
  return typeof key === "string" ? { before: 1n, [key]: inner } : [...Array.from({ length: key }, () => "x"), inner];
}
