/** Options that users give, checked as those of an app are. */
import { ValidationError } from "../index.ts";

/** The names that a `T` can have; of this type no list can drift from it. */
export type KnownKeys<T> = Readonly<Record<keyof T, true>>;

/** @throws ValidationError when it is no object, or has a member that is not known */
export function checkOptions(of: string, given: unknown, known: Readonly<Record<string, true>>): void {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new ValidationError(`The options of ${of} must be an object.`);
  }
  const unknown = Object.keys(given).find((key) => !Object.hasOwn(known, key));
  if (unknown === undefined) return;
  const names = Object.keys(known).join(", ");
  throw new ValidationError(`The options of ${of} have no ${JSON.stringify(unknown)}. They can have: ${names}.`);
}
