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
  if (Array.isArray(value)) {
    refuseSubclass(value, "Array", path, what);
    return inspectArray(value, path, ancestors, what);
  }
  if (isPlainObject(value)) return inspectPlainObject(value, path, ancestors, what);
  if (value instanceof Map) {
    refuseSubclass(value, "Map", path, what);
    inspectAll([...value.keys()], `${path}.keys()`, ancestors, what);
    inspectAll([...value.values()], `${path}.values()`, ancestors, what);
    return true;
  }
  if (value instanceof Set) {
    refuseSubclass(value, "Set", path, what);
    inspectAll([...value], `${path}.values()`, ancestors, what);
    return true;
  }
  if (value instanceof Date) {
    refuseSubclass(value, "Date", path, what);
    if (Number.isNaN(value.getTime())) throw new SerializationError(what, path, "is an invalid Date.");
    return true;
  }
  if (value instanceof Uint8Array || value instanceof URL || value instanceof Error) return true;
  throw lostClass(value, path, what);
}

function refuseSubclass(value: object, name: string, path: string, what: string): void {
  if (value.constructor?.name !== name) throw lostClass(value, path, what);
}

function lostClass(value: object, path: string, what: string): SerializationError {
  const name = value.constructor?.name || "a class";
  return new SerializationError(what, path, `is an instance of ${name}, which would lose its class. Pass plain data.`);
}

function inspectArray(value: readonly unknown[], path: string, ancestors: unknown[], what: string): boolean {
  for (let index = 0; index < value.length; index++) {
    if (!(index in value)) {
      throw new SerializationError(what, `${path}[${index}]`, "is an empty slot of a sparse array. Fill it.");
    }
  }
  return inspectAll(value, path, ancestors, what);
}

function inspectAll(members: readonly unknown[], path: string, ancestors: unknown[], what: string): boolean {
  let rich = false;
  members.forEach((member, index) => {
    rich = inspect(member, `${path}[${index}]`, ancestors, what) || rich;
  });
  return rich;
}

function inspectPlainObject(value: object, path: string, ancestors: unknown[], what: string): boolean {
  if (Object.getOwnPropertySymbols(value).length > 0) {
    throw new SerializationError(what, path, "has a symbol as a key. Use text keys.");
  }
  let rich = false;
  for (const key of Object.keys(value)) {
    const member = (value as Record<string, unknown>)[key];
    rich = inspect(member, memberPath(path, key), ancestors, what) || rich;
  }
  return rich;
}

function memberPath(path: string, key: string): string {
  if (key === "") return `${path}[""]`;
  return path === "" ? key : `${path}.${key}`;
}

/** Also of another realm, and without a prototype. */
function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || (Object.getPrototypeOf(prototype) === null && !(Symbol.iterator in value));
}

/** Keys that the serialiser of rich values refuses, for they could reach an object's prototype. */
const REFUSED_KEYS: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/** The path of the first key that a rich value must not have. For values that `inspect` has let pass. */
export function findRefusedKey(value: unknown, path = ""): string | undefined {
  // An error's own data is judged when it is taken apart.
  if (typeof value !== "object" || value === null || value instanceof Error) return undefined;
  const members: [string, unknown][] =
    value instanceof Map || value instanceof Set
      ? [...value].flat().map((member, index) => [`values()[${index}]`, member])
      : Object.entries(value);
  for (const [key, member] of members) {
    const inside = Array.isArray(value) ? `${path}[${key}]` : memberPath(path, key);
    const found = REFUSED_KEYS.has(key) && !Array.isArray(value) ? inside : findRefusedKey(member, inside);
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * The value in objects of this realm, members and all, which is what the serialiser of rich values understands. For
 * values that `inspect` has let pass.
 */
export function copyPlain(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(copyPlain);
  if (value instanceof Map) return new Map([...value].map(([key, member]) => [copyPlain(key), copyPlain(member)]));
  if (value instanceof Set) return new Set([...value].map(copyPlain));
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, copyPlain(member)]));
}
