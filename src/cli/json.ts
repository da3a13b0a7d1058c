/** Values as plain JSON, for programs of any language; and back from the command line. */
import { UsageError } from "./failure.ts";

/**
 * What is more than JSON is told as: dates and URLs as texts, bigints as texts of digits, bytes in base64, maps as lists
 * of pairs, sets as lists, errors as objects with `name`, `message` and their own fields, NaN and infinities as null.
 */
export function toJson(value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof URL) return value.href;
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (value instanceof Map) return [...value].map(toJson);
  if (value instanceof Set) return [...value].map(toJson);
  if (Array.isArray(value)) return value.map(toJson);
  if (value instanceof Error) return errorToJson(value);
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, toJson(member)]));
}

function errorToJson(error: Error): unknown {
  const own = Object.entries(error).filter(([key]) => key !== "stack");
  const { name, message, cause } = error;
  const facts = { name, message, ...Object.fromEntries(own), ...(cause !== undefined && { cause }) };
  return Object.fromEntries(Object.entries(facts).map(([key, member]) => [key, toJson(member)]));
}

/** One line, for people. */
export function compact(value: unknown): string {
  return JSON.stringify(toJson(value)) ?? "";
}

/**
 * A value of the command line.
 *
 * @throws UsageError
 */
export function parseJson(option: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`${option} is not JSON (${reason}). A text needs quotes of its own: '"text"'.`, { cause });
  }
}
