/** The longest that a broker can ask to be left alone, in milliseconds: a day. */
const LONGEST = 86_400_000;

/**
 * What a `Retry-After` says, in milliseconds from now: seconds, or a date (RFC 9110, 10.2.3). `undefined` when it says
 * nothing that can be read.
 *
 * @param now epoch milliseconds
 */
export function retryAfterOf(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  const wait = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - now;
  return Number.isNaN(wait) ? undefined : Math.min(Math.max(wait, 0), LONGEST);
}
