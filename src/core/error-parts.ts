import * as errors from "./errors.ts";
import { copyPlain, findRefusedKey, inspect } from "./storable.ts";

/** An error taken apart, so that it can be stored and built again. */
export interface ErrorParts {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly cause?: unknown;
  /** The members of an `AggregateError`, such as `Promise.any` rejects with. */
  readonly errors?: readonly unknown[];
  /** Its own data (`code`, `status`, ...). */
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** The most characters of a stack that are kept; the top frames are the useful ones. */
const STACK_LENGTH = 2_000;

/** The longest chain of causes that is kept; a cycle of causes is longer than any. */
const CAUSE_DEPTH = 16;

/** The parts of an error. An own field that cannot be stored is left out: it must not hide the error itself. */
export function dismantleError(error: Error): ErrorParts {
  const fields = dataOf(error);
  return {
    name: String(error.name),
    message: String(error.message),
    ...(typeof error.stack === "string" && { stack: error.stack.slice(0, STACK_LENGTH) }),
    ...(isStorable(error.cause) && {
      cause: hasEnd(error) ? copyPlain(error.cause) : withoutCause(error.cause as Error),
    }),
    ...(error instanceof AggregateError && { errors: error.errors.map(orNothing) }),
    ...(Object.keys(fields).length > 0 && { fields }),
  };
}

const PLACED_ELSEWHERE: ReadonlySet<string> = new Set(["name", "message", "stack", "cause"]);

function dataOf(error: Error): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  // `code` is often not the error's own, but its class's (DOMException).
  for (const key of new Set([...Object.keys(error), "code"])) {
    if (PLACED_ELSEWHERE.has(key) || (key === "errors" && error instanceof AggregateError)) continue;
    const value = read(error, key);
    if (isStorable({ [key]: value }) && value !== undefined) fields[key] = copyPlain(value);
  }
  return fields;
}

/** A property of an error, or nothing when reading it throws. */
export function read(error: Error, key: string): unknown {
  try {
    return Reflect.get(error, key);
  } catch {
    return undefined;
  }
}

function isStorable(value: unknown): boolean {
  if (value === undefined) return false;
  try {
    inspect(value, "", [], "A field");
    return findRefusedKey(value) === undefined;
  } catch {
    return false;
  }
}

function orNothing(value: unknown): unknown {
  return isStorable(value) ? copyPlain(value) : undefined;
}

/** Cuts a chain of causes that is too long, or has no end. */
function withoutCause({ name, message, stack = "" }: Error): Error {
  return assembleError({ name, message, stack });
}

function hasEnd(error: Error): boolean {
  let current: unknown = error;
  for (let depth = 0; depth < CAUSE_DEPTH; depth++) {
    if (!(current instanceof Error)) return true;
    current = current.cause;
  }
  return false;
}

/** The error again: of the same class where it is one of the language's or of Romancy's, else an `Error` of its name. */
export function assembleError(parts: ErrorParts): Error {
  const error = new Error(parts.message);
  const known = classOf(parts);
  if (known) Object.setPrototypeOf(error, known.prototype);
  define(error, "name", parts.name);
  define(error, "stack", parts.stack ?? `${parts.name}: ${parts.message}`);
  if ("cause" in parts) define(error, "cause", parts.cause);
  if (parts.errors) define(error, "errors", parts.errors);
  for (const [key, value] of Object.entries(parts.fields ?? {})) {
    Object.defineProperty(error, key, { value, writable: true, configurable: true, enumerable: true });
  }
  return error;
}

/** As the language defines these: present, but not enumerable. */
function define(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, writable: true, configurable: true, enumerable: false });
}

type ErrorClass = abstract new (...args: never) => Error;

const BUILT_IN: Readonly<Record<string, ErrorClass>> = {
  AggregateError,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

const OURS: Readonly<Record<string, ErrorClass>> = Object.fromEntries(
  Object.entries(errors).filter((entry): entry is [string, typeof errors.RomancyError] => entry[0].endsWith("Error")),
);

function classOf(parts: ErrorParts): ErrorClass | undefined {
  if (Object.hasOwn(BUILT_IN, parts.name)) return BUILT_IN[parts.name];
  // A user's error may bear one of our names; ours carry a code as well, which is a text.
  return typeof parts.fields?.["code"] === "string" && Object.hasOwn(OURS, parts.name) ? OURS[parts.name] : undefined;
}
