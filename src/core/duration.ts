import { ValidationError } from "./errors.ts";

type Unit =
  | ("ms" | "millisecond" | "milliseconds")
  | ("s" | "sec" | "secs" | "second" | "seconds")
  | ("m" | "min" | "mins" | "minute" | "minutes")
  | ("h" | "hr" | "hrs" | "hour" | "hours")
  | ("d" | "day" | "days")
  | ("w" | "week" | "weeks");

/**
 * A length of time: a number of milliseconds, or text such as `"500ms"`, `"30s"`, `"3 days"`.
 *
 * Units: `ms`, `s`, `m` (minutes), `h`, `d`, `w` and their long names. A day is 24 hours, a week 7 days.
 */
export type Duration = number | `${number}${Unit}` | `${number} ${Unit}`;

const MILLISECONDS: Readonly<Record<Unit, number>> = {
  ms: 1,
  millisecond: 1,
  milliseconds: 1,
  s: 1_000,
  sec: 1_000,
  secs: 1_000,
  second: 1_000,
  seconds: 1_000,
  m: 60_000,
  min: 60_000,
  mins: 60_000,
  minute: 60_000,
  minutes: 60_000,
  h: 3_600_000,
  hr: 3_600_000,
  hrs: 3_600_000,
  hour: 3_600_000,
  hours: 3_600_000,
  d: 86_400_000,
  day: 86_400_000,
  days: 86_400_000,
  w: 604_800_000,
  week: 604_800_000,
  weeks: 604_800_000,
};

/** The largest time a `Date` can hold (ECMA-262, 21.4.1.1); a deadline beyond it could not be shown. */
const LONGEST = 8.64e15;

const TEXT = /^((?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?)\s?([a-z]+)$/;

/**
 * The duration in whole milliseconds, rounded up so that a wait is never shorter than asked for.
 *
 * @throws ValidationError when it is negative, not finite, or not of the form `Duration` describes.
 */
export function toMilliseconds(duration: Duration, what: string): number {
  const milliseconds = typeof duration === "number" ? duration : parse(duration);
  if (milliseconds === undefined || !(milliseconds >= 0 && milliseconds <= LONGEST)) {
    const given = typeof duration === "string" ? JSON.stringify(duration) : String(duration);
    throw new ValidationError(
      `${what} is not a duration: ${given}. ` +
        'Give milliseconds as a number of 0 or more, or text such as "500ms", "30s", "3 days".',
    );
  }
  // What lies below a millionth is the error of a multiplication such as 4.03 * 1000.
  return Math.max(0, Math.ceil(milliseconds - 1e-6));
}

function parse(text: unknown): number | undefined {
  if (typeof text !== "string") return undefined;
  const [, amount, unit] = TEXT.exec(text.trim().toLowerCase()) ?? [];
  if (amount === undefined || unit === undefined || !Object.hasOwn(MILLISECONDS, unit)) return undefined;
  return Number(amount) * MILLISECONDS[unit as Unit];
}
