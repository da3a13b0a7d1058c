/** Values of options. */
import type { InstanceStatus } from "../index.ts";
import { UsageError } from "./failure.ts";
import { parseJson } from "./json.ts";

/** @throws UsageError */
export function parseCount(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new UsageError(`${option} is ${text}; it must be a whole number`);
}

/** @throws UsageError */
export function parseDate(option: string, text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const date = new Date(text);
  if (!Number.isNaN(date.getTime())) return date;
  throw new UsageError(`${option} is ${text}; it must be a time such as 2026-01-31 or 2026-01-31T12:00:00Z`);
}

/**
 * Pairs such as `customer=c-7`.
 *
 * @throws UsageError
 */
export function parsePairs(option: string, pairs: readonly string[] = []): Record<string, string> | undefined {
  if (pairs.length === 0) return undefined;
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf("=");
      if (at < 1) throw new UsageError(`${option} is ${pair}; it must have the form name=value`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

/** Values that are JSON where they can be, else texts: `1.total=5`, `0=ORD-1`. */
export function parseValues(option: string, pairs?: readonly string[]): Record<string, Scalar> | undefined {
  const texts = parsePairs(option, pairs);
  return texts && Object.fromEntries(Object.entries(texts).map(([path, text]) => [path, scalarOf(text)]));
}

type Scalar = string | number | boolean | null;

function scalarOf(text: string): Scalar {
  if (!/^(?:-?\d|true$|false$|null$|")/.test(text)) return text;
  try {
    return JSON.parse(text) as Scalar;
  } catch {
    return text;
  }
}

/** Statuses, each by an option of its own or several with commas between; the engine checks them. */
export function parseStatuses(texts: readonly string[] | undefined): readonly InstanceStatus[] | undefined {
  return texts?.flatMap((text) => text.split(",")) as InstanceStatus[] | undefined;
}

/** A list is the arguments, anything else the only one. */
export function parseArguments(option: string, text: string | undefined): readonly unknown[] {
  if (text === undefined) return [];
  const value = parseJson(option, text);
  return Array.isArray(value) ? value : [value];
}

/** The options that were given. */
export function given<T extends object>(options: T): Given<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Given<T>;
}

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };
