/** An instance's tags, as they are stored: JSON, `null` for none. */
import { ValidationError } from "../core/errors.ts";

type Tags = Readonly<Record<string, string>>;

/** @throws ValidationError */
export function checkTags(tags: unknown): void {
  if (tags === undefined) return;
  const isObject = typeof tags === "object" && tags !== null && !Array.isArray(tags);
  if (isObject && Object.values(tags).every((value) => typeof value === "string")) return;
  throw new ValidationError("The tags of an instance must be an object of texts.");
}

export function encodeTags(tags: Tags | undefined): string | null {
  return tags && Object.keys(tags).length > 0 ? JSON.stringify(tags) : null;
}

export function decodeTags(text: string | null): Tags {
  return text === null ? {} : (JSON.parse(text) as Tags);
}
