/** Options and filters that users give: a name that nobody knows is a mistake, and not to be passed over. */
import { ValidationError } from "./errors.ts";

/** The names that a `T` can have; of this type no list can drift from it. */
export type KnownKeys<T> = Readonly<Record<keyof T, true>>;

/**
 * @param what such as `"A filter"`
 * @throws ValidationError when it is no object, or has a member that is not known
 */
export function checkKeys(what: string, given: unknown, known: Readonly<Record<string, true>>): void {
  if (!isObject(given)) throw new ValidationError(`${what} must be an object.`);
  const unknown = unknownKey(given, known);
  if (unknown !== undefined) throw new ValidationError(`${what} has no ${unknown}. It can have: ${list(known)}.`);
}

/**
 * The same for options.
 *
 * @param of whose they are, such as `"activity charge"`
 * @throws ValidationError
 */
export function checkOptions(of: string, given: unknown, known: Readonly<Record<string, true>>): void {
  if (!isObject(given)) throw new ValidationError(`The options of ${of} must be an object.`);
  const unknown = unknownKey(given, known);
  if (unknown === undefined) return;
  throw new ValidationError(`The options of ${of} have no ${unknown}. They can have: ${list(known)}.`);
}

/** @throws ValidationError when it is given, and neither `true` nor `false` */
export function checkFlag(what: string, given: unknown): void {
  if (given === undefined || typeof given === "boolean") return;
  throw new ValidationError(`${what} must be true or false.`);
}

/**
 * @param example how it is given
 * @throws ValidationError
 */
export function checkFunction(what: string, given: unknown, example: string): void {
  if (typeof given === "function") return;
  throw new ValidationError(`${what} must be given a function: ${example}.`);
}

export function isObject(given: unknown): given is object {
  return typeof given === "object" && given !== null && !Array.isArray(given);
}

/** In quotes. Some are checked for each call of workflow code: no more than a look at the names. */
function unknownKey(given: object, known: Readonly<Record<string, true>>): string | undefined {
  for (const key of Object.keys(given)) {
    if (!Object.hasOwn(known, key)) return JSON.stringify(key);
  }
  return undefined;
}

/** Doors that are not for users are not told of. */
function list(known: Readonly<Record<string, true>>): string {
  return Object.keys(known)
    .filter((key) => !key.startsWith("~"))
    .join(", ");
}
