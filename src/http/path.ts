import { Problem } from "./replies.ts";

/** What the groups of the pattern find in the address's path, without those that find nothing. */
export function namesIn(url: string, pattern: RegExp): string[] {
  const names = pattern.exec(new URL(url).pathname)?.slice(1) ?? [];
  try {
    return names.filter((name) => name !== undefined).map(decodeURIComponent);
  } catch (cause) {
    throw new Problem(400, "ParseError", `The path is not well encoded: ${String(cause)}`);
  }
}
