import { isDeepStrictEqual } from "node:util";
import { runInNewContext } from "node:vm";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEFAULT_MAX_VALUE_BYTES, decode, encode, encodeThrown } from "../../src/core/codec.ts";
import { SerializationError } from "../../src/core/errors.ts";
import { check } from "./check.ts";
import { values } from "./values.ts";

const roundTrip = (value: unknown): unknown => decode(encode(value, "The value"));
const isSame = (value: unknown): boolean => isDeepStrictEqual(roundTrip(value), value);

describe("plain JSON", () => {
  /** Minus zero is a JSON number, but `JSON.stringify` loses it: rich. */
  const plain = fc.jsonValue({ maxDepth: 4 }).map((value): unknown => JSON.parse(JSON.stringify(value)));
  const hasRichKey = (value: unknown): boolean => typeof value === "object" && value !== null && "$rich" in value;

  it("is stored as that JSON, and comes back", () => {
    check(
      fc.property(plain, (value) => {
        fc.pre(!hasRichKey(value));
        expect(encode(value, "It")).toBe(JSON.stringify(value));
        expect(isSame(value)).toBe(true);
      }),
    );
  });

  it("is not taken for rich because of its keys", () => {
    for (const inner of [1, null, {}, { json: 1 }, { json: "x", meta: { values: ["Date"] } }]) {
      expect(isSame({ $rich: inner })).toBe(true);
      expect(isSame([{ $rich: inner }])).toBe(true);
    }
  });

  it("may have keys that are special to the language", () => {
    for (const text of ['{"__proto__":{"a":1}}', '{"constructor":1}', '{"prototype":[{"__proto__":null}]}']) {
      expect(encode(JSON.parse(text), "It")).toBe(text);
      expect(isDeepStrictEqual(decode(text), JSON.parse(text))).toBe(true);
    }
  });
});

describe("rich values", () => {
  it("come back as they were, whatever they are made of", () => {
    // The comparison looks into errors and URLs, or the property would mean little.
    expect(isDeepStrictEqual(new URL("http://a"), new URL("http://b"))).toBe(false);
    expect(isDeepStrictEqual(new Error("a", { cause: 1 }), new Error("a", { cause: 2 }))).toBe(false);
    check(
      fc.property(values, (value) => {
        expect(isSame(value)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it("are the same text again when stored again", () => {
    check(
      fc.property(values, (value) => {
        const text = encode(value, "It");
        expect(encode(decode(text), "It")).toBe(text);
      }),
      { numRuns: 500 },
    );
  });

  it.each(["", ".", "a.b", "..", "/", "\\", "\\.", ".\\", "a\\.b", "$rich", "toString"])(
    "may have %j as a key",
    (key) => {
      expect(isSame({ [key]: 1n })).toBe(true);
      expect(isSame({ [key]: { [key]: new Map([[key, { [key]: new Date(0), other: -0 }]]) } })).toBe(true);
    },
  );

  it("are stored in the documented form", () => {
    expect(JSON.parse(encode({ at: new Date(0) }, "It"))).toEqual({
      $rich: { json: { at: "1970-01-01T00:00:00.000Z" }, meta: { v: 1, values: { at: ["Date"] } } },
    });
    expect(encode(undefined, "It")).toContain('"undefined"');
  });

  it("turn shared references into copies", () => {
    const shared = { at: new Date(0) };
    const [first, second] = roundTrip([shared, shared]) as [unknown, unknown];
    expect(first).toEqual(shared);
    expect(second).toEqual(shared);
    expect(first).not.toBe(second);
  });

  it("hold bytes of any length", () => {
    const bytes = Uint8Array.from({ length: 100_003 }, (_, index) => index % 256);
    expect(isSame(bytes)).toBe(true);
  });
});

describe("the size limit", () => {
  it("counts bytes of UTF-8", () => {
    expect(encode("äöü", "It", 8)).toBe('"äöü"');
    expect(() => encode("äöü", "It", 7)).toThrow(SerializationError);
    expect(() => encode("äöü", "It", 7)).toThrow("It cannot be stored: it takes 8 bytes, more than the limit of 7");
  });

  it("is 2 MB by default", () => {
    expect(DEFAULT_MAX_VALUE_BYTES).toBe(2_097_152);
    expect(encode("x".repeat(DEFAULT_MAX_VALUE_BYTES - 2), "It")).toHaveLength(DEFAULT_MAX_VALUE_BYTES);
    expect(() => encode("x".repeat(DEFAULT_MAX_VALUE_BYTES - 1), "It")).toThrow(SerializationError);
  });
});

describe("encodeThrown", () => {
  const thrown = (value: unknown, maxBytes?: number): unknown => decode(encodeThrown(value, maxBytes));

  it("stores what can be stored", () => {
    expect(thrown("text")).toBe("text");
    expect(thrown(new TypeError("boom"))).toEqual(new TypeError("boom"));
  });

  it("stores a text of anything else", () => {
    expect(thrown(Symbol("s"))).toBe("Symbol(s)");
    expect(thrown(Object.create(null, { f: { value: () => 1, enumerable: true } }))).toBe("object");
  });

  it("keeps name and message of an error that is too large", () => {
    const large = Object.assign(new RangeError("x".repeat(50_000)), { name: "Large", data: "y".repeat(50_000) });
    const error = thrown(large, 1_000) as Error;
    expect(error).toMatchObject({ name: "Large", message: "x".repeat(10_000) });
  });

  it("never throws, whatever was thrown", () => {
    const hostile = {
      toString(): string {
        throw new Error("no");
      },
    };
    expect(thrown(hostile)).toBe("object");
    expect(thrown(Object.assign(new Error("x"), { message: hostile }))).toMatchObject({ message: "object" });
    check(
      fc.property(fc.anything(), (value) => typeof encodeThrown(value) === "string"),
      { numRuns: 1_000 },
    );
  });
});

describe("what plain JSON or the serialiser would spoil", () => {
  it("is an empty slot of an array: it is refused, instead of becoming null", () => {
    const sparse: unknown[] = [1, 2, 3];
    Reflect.deleteProperty(sparse, 1);
    expect(() => encode({ sparse }, "It")).toThrow("sparse[1] is an empty slot");
  });

  it.each(["constructor", "prototype", "__proto__"])(
    "is the key %s beside rich values: refused with its path",
    (key) => {
      const value: unknown = Object.defineProperty({}, key, { value: 1, enumerable: true });
      expect(() => encode({ a: [value], at: 1n }, "It")).toThrow(`a[0].${key} was refused`);
      expect(() => encode({ m: new Map([[1, value]]) }, "It")).toThrow(`values()[1].${key} was refused`);
      expect(isSame({ a: [value] })).toBe(true);
    },
  );

  it("is an object of another realm: its rich members are kept", () => {
    const foreign: unknown = runInNewContext("({ n: NaN })");
    expect(roundTrip({ foreign })).toEqual({ foreign: { n: Number.NaN } });
  });

  it("is an instance whose prototype has none: its rich members are kept", () => {
    const odd: unknown = Object.assign(Object.create(Object.create(null)), { at: new Date(0) });
    expect(roundTrip(odd)).toEqual({ at: new Date(0) });
  });

  it("is a value that is nested too deep: it is refused", () => {
    let deep: unknown = 1;
    for (let depth = 0; depth < 50_000; depth++) deep = [deep];
    expect(() => encode(deep, "It")).toThrow(SerializationError);
  });

  it.each([
    ["Map", new (class Money extends Map {})()],
    ["Set", new (class Bag extends Set {})()],
    ["Date", new (class Day extends Date {})()],
    ["Array", new (class List extends Array {})()],
  ])("is an instance of a class that extends %s: it is refused", (_, instance) => {
    expect(() => encode(instance, "It")).toThrow("would lose its class");
  });

  it("is an error that has to be reduced: it keeps its own stack", () => {
    const large = Object.assign(new Error("x"), { data: "y".repeat(5_000) });
    expect(decode(encodeThrown(large, 1_000))).toMatchObject({ stack: large.stack });
  });
});
