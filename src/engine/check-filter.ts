/** What filters and options have in common. */

import { ValidationError } from "../core/errors.ts";
import { isStorableText } from "../core/text.ts";

/** @throws ValidationError when it is no whole number, or less than it may be */
export function checkCount(key: string, given: number, least = 1): number {
  if (Number.isInteger(given) && given >= least) return given;
  throw new ValidationError(`${key} is ${String(given)}; it must be a whole number of ${least} or more.`);
}

/**
 * One text, or several, each once; `undefined` when nothing is given.
 *
 * @throws ValidationError when it is neither, or a list of none
 */
export function listOf(key: string, given: string | readonly string[] | undefined): readonly string[] | undefined {
  if (given === undefined) return undefined;
  const list: readonly unknown[] = typeof given === "string" ? [given] : Array.isArray(given) ? given : [];
  if (list.length > 0 && list.every(isText)) return [...new Set(list)];
  throw new ValidationError(`${key} must be a text, or a list of one or more. Leave it out for all.`);
}

/** Whether it can be a part of a name: see `checkName`. */
export function isText(text: unknown): text is string {
  return isStorableText(text) && text !== "";
}
