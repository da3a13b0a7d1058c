import { ValidationError } from "../core/errors.ts";

/** @throws ValidationError when it is no object, or has a member that is not known */
export function checkKeys(what: string, given: unknown, known: Readonly<Record<string, true>>): void {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new ValidationError(`${what} must be an object.`);
  }
  const unknown = Object.keys(given).find((key) => !Object.hasOwn(known, key));
  if (unknown === undefined) return;
  throw new ValidationError(
    `${what} has no ${JSON.stringify(unknown)}. It can have: ${Object.keys(known).join(", ")}.`,
  );
}
