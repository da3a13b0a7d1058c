/** How long the headers of an answer ask to wait. */

/** In milliseconds; `undefined` when they do not say, or say something odd. */
export function readRetryAfter(headers: Readonly<Record<string, string>> | undefined): number | undefined {
  const exact = headers?.["retry-after-ms"];
  const general = headers?.["retry-after"];
  const wait = exact !== undefined ? Number(exact) : general !== undefined ? waitOf(general) : Number.NaN;
  return Number.isFinite(wait) && wait >= 0 ? wait : undefined;
}

/** Seconds, or a date as HTTP writes them. */
function waitOf(text: string): number {
  const seconds = Number(text);
  return Number.isNaN(seconds) ? Date.parse(text) - Date.now() : seconds * 1_000;
}
