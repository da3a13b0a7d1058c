import { SuperJSON } from "superjson";
import { assembleError, dismantleError, type ErrorParts, read } from "./error-parts.ts";
import { describe, SerializationError } from "./errors.ts";
import { copyPlain, findRefusedKey, inspect } from "./storable.ts";

/**
 * How values are stored.
 *
 * 1. A value of plain JSON is stored as that JSON, so that people and filters can read it.
 * 2. `Date`, `bigint`, `Map`, `Set`, `Uint8Array`, `URL`, `Error`, `undefined`, `NaN`, the infinities and `-0` make the
 *    value rich: it is stored as `{"$rich": {"json": ..., "meta": ...}}`, the documented form of superjson, still JSON.
 * 3. Anything else is refused with the path to it; nothing is stored in part or silently dropped.
 */
const RICH = "$rich";

/** The largest encoded value, in bytes of UTF-8, unless the app says otherwise: 2 MB. */
export const DEFAULT_MAX_VALUE_BYTES: number = 2 * 1024 * 1024;

/**
 * The text to store for a value.
 *
 * @param what what the value is, for the error's message: `The result of activity charge:1`
 * @throws SerializationError naming the path of what cannot be stored, or the size when it is too large
 */
export function encode(value: unknown, what: string, maxBytes: number = DEFAULT_MAX_VALUE_BYTES): string {
  const text = textOf(value, what);
  const bytes = byteLength(text, maxBytes);
  if (bytes > maxBytes) {
    throw new SerializationError(
      what,
      "",
      `takes ${bytes} bytes, more than the limit of ${maxBytes}. Store it elsewhere and pass a reference, or raise \`maxValueBytes\`.`,
    );
  }
  return text;
}

function textOf(value: unknown, what: string): string {
  try {
    return inspect(value, "", [], what) || hasRichKey(value) ? encodeRich(value, what) : JSON.stringify(value);
  } catch (error) {
    // Every step walks the value by recursion; the deepest one may be any of them.
    if (!(error instanceof RangeError)) throw error;
    throw new SerializationError(what, "", "is nested too deep.", { cause: error });
  }
}

/** The text to store for anything that was thrown. Never fails: what cannot be stored of it is left out. */
export function encodeThrown(thrown: unknown, maxBytes: number = DEFAULT_MAX_VALUE_BYTES): string {
  try {
    return encode(thrown, "A thrown value", maxBytes);
  } catch {
    return encode(reduceThrown(thrown), "A thrown value", Infinity);
  }
}

/** The most characters of a message that is kept without the rest of its error. */
const REDUCED_LENGTH = 10_000;

function reduceThrown(thrown: unknown): unknown {
  if (!(thrown instanceof Error)) return describe(thrown).slice(0, REDUCED_LENGTH);
  const reduced = new Error(describe(read(thrown, "message")).slice(0, REDUCED_LENGTH));
  reduced.name = describe(read(thrown, "name")).slice(0, REDUCED_LENGTH);
  reduced.stack = describe(read(thrown, "stack"));
  return reduced;
}

/** The value again. */
export function decode(text: string): unknown {
  const value: unknown = JSON.parse(text);
  return hasRichKey(value) ? superjson.deserialize((value as RichEnvelope)[RICH]) : value;
}

interface RichEnvelope {
  [RICH]: Parameters<SuperJSON["deserialize"]>[0];
}

function hasRichKey(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.hasOwn(value, RICH);
}

const superjson: SuperJSON = new SuperJSON();

superjson.registerCustom<Uint8Array, string>(
  {
    isApplicable: (value): value is Uint8Array => value instanceof Uint8Array,
    serialize: toBase64,
    deserialize: fromBase64,
  },
  "bytes",
);

// Declared as JSON because that is what superjson makes of it: it goes on into the parts of the error.
superjson.registerCustom<Error, never>(
  {
    isApplicable: (value): value is Error => value instanceof Error,
    serialize: (error) => dismantleError(error) as never,
    deserialize: (parts: ErrorParts) => assembleError(parts),
  },
  "error",
);

function encodeRich(value: unknown, what: string): string {
  try {
    const { json, meta } = superjson.serialize(copyPlain(value));
    // Shared references become copies, as in plain JSON.
    const { referentialEqualities: _, ...kept } = meta ?? {};
    return JSON.stringify({ [RICH]: { json, meta: kept } });
  } catch (cause) {
    const path = findRefusedKey(value) ?? "";
    throw new SerializationError(what, path, "was refused by the serialiser of rich values. See the cause.", { cause });
  }
}

/** Exact only where it matters: UTF-8 takes at most 3 bytes for each UTF-16 unit. */
function byteLength(text: string, limit: number): number {
  return text.length * 3 <= limit ? text.length : new TextEncoder().encode(text).length;
}

/** Slices keep the argument lists of `fromCharCode` below what engines allow. */
const CHUNK = 8_192;

function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (let start = 0; start < bytes.length; start += CHUNK) {
    binary += String.fromCharCode(...bytes.subarray(start, start + CHUNK));
  }
  return btoa(binary);
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
