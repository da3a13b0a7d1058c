import { SerializationError } from "./errors.ts";

/**
 * Walks a value and answers whether it is rich: whether JSON alone would not give it back.
 *
 * @param ancestors the objects that contain it, to notice cycles
 * @throws SerializationError naming the path of the first part that cannot be stored at all
 */
export function inspect(value: unknown, path: string, ancestors: unknown[], what: string): boolean {
  switch (typeof value) {
    case "string":
    case "boolean":
      return false;
    case "number":
      return !Number.isFinite(value) || Object.is(value, -0);
    case "undefined":
    case "bigint":
      return true;
    case "object":
      return value !== null && inspectObject(value, path, ancestors, what);
    default:
      throw new SerializationError(what, path, `is a ${typeof value}. Pass plain data.`);
  }
}

function inspectObject(value: object, path: string, ancestors: unknown[], what: string): boolean {
  if (ancestors.includes(value)) {
    throw new SerializationError(what, path, "refers back to an object that contains it. Pass data without cycles.");
  }
  ancestors.push(value);
  const rich = inspectMembers(value, path, ancestors, what);
  ancestors.pop();
  return rich;
}

function inspectMembers(value: object, path: string, ancestors: unknown[], what: string): boolean {
  if (Array.isArray(value)) return inspectArray(value, path, ancestors, what);
  if (isPlainObject(value)) return inspectPlainObject(value, path, ancestors, what);
  if (value instanceof Map) {
    let index = 0;
    for (const [key, member] of value) {
      inspect(key, `${path}.keys()[${index}]`, ancestors, what);
      inspect(member, `${path}.values()[${index++}]`, ancestors, what);
    }
    return true;
  }
  if (value instanceof Set) {
    let index = 0;
    for (const member of value) inspect(member, `${path}.values()[${index++}]`, ancestors, what);
    return true;
  }
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw new SerializationError(what, path, "is an invalid Date.");
    return true;
  }
  if (value instanceof Uint8Array || value instanceof URL || value instanceof Error) return true;
  throw new SerializationError(
    what,
    path,
    `is an instance of ${value.constructor?.name || "a class"}, which would lose its class. Pass plain data.`,
  );
}

function inspectArray(value: readonly unknown[], path: string, ancestors: unknown[], what: string): boolean {
  let rich = false;
  // By index and not by iteration: a hole reads as `undefined` and so becomes one, instead of `null`.
  for (let index = 0; index < value.length; index++) {
    rich = inspect(value[index], `${path}[${index}]`, ancestors, what) || rich;
  }
  return rich;
}

function inspectPlainObject(value: object, path: string, ancestors: unknown[], what: string): boolean {
  if (Object.getOwnPropertySymbols(value).length > 0) {
    throw new SerializationError(what, path, "has a symbol as a key. Use text keys.");
  }
  let rich = false;
  for (const key of Object.keys(value)) {
    const member = (value as Record<string, unknown>)[key];
    rich = inspect(member, path === "" ? key : `${path}.${key}`, ancestors, what) || rich;
  }
  return rich;
}

/** Also of another realm, and without a prototype. */
function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || (Object.getPrototypeOf(prototype) === null && !(Symbol.iterator in value));
}
