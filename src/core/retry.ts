import { type Duration, toMilliseconds } from "./duration.ts";
import { RetryLaterError, TerminalError, ValidationError } from "./errors.ts";
import { checkKeys, isObject, type KnownKeys } from "./known-keys.ts";

/** A class of errors, or the name of one. */
export type ErrorMatcher = string | (abstract new (...args: never) => Error);

/**
 * When and how often a failed activity is tried again. A field that is left out comes from the next wider policy:
 * call, activity, workflow, app, then the default (3 attempts, 100 ms, doubling, at most 10 s, half of it jitter).
 */
export interface RetryPolicy {
  /** Attempts in all, the first one included; `Infinity` for no limit. Default 3. */
  readonly maxAttempts?: number;
  /** Wait before the second attempt. Default 100 ms. */
  readonly initialInterval?: Duration;
  /** The longest wait, before jitter. Default 10 s. */
  readonly maxInterval?: Duration;
  /** Each wait is the one before times this, 1 or more. Default 2. */
  readonly multiplier?: number;
  /** Share of the wait that is random, 0 to 1: 0.5 means between half and one and a half times. Default 0.5. */
  readonly jitter?: number;
  /** No attempt begins later than this after the first one began. Default: no limit. */
  readonly maxDuration?: Duration;
  /** When given, only these errors are retried. Looked for along the `cause` chain. */
  readonly retryableErrors?: readonly ErrorMatcher[];
  /** These errors are never retried. `TerminalError` never is. */
  readonly nonRetryableErrors?: readonly ErrorMatcher[];
}

/** A policy with every field known, times in milliseconds. */
export interface ResolvedRetryPolicy {
  readonly maxAttempts: number;
  readonly initialInterval: number;
  readonly maxInterval: number;
  readonly multiplier: number;
  readonly jitter: number;
  readonly maxDuration: number;
  readonly retryableErrors: readonly ErrorMatcher[] | undefined;
  readonly nonRetryableErrors: readonly ErrorMatcher[];
}

/** Ready-made policies; each sets every field that shapes the waits. */
export const retryPolicies: {
  readonly default: RetryPolicy;
  readonly none: RetryPolicy;
  readonly aggressive: RetryPolicy;
  readonly conservative: RetryPolicy;
  readonly infinite: RetryPolicy;
  fixed(maxAttempts: number, interval: Duration): RetryPolicy;
  exponential(maxAttempts: number, initial: Duration, max: Duration, multiplier?: number): RetryPolicy;
} = {
  /** 3 attempts, 100 ms, doubling, at most 10 s. */
  default: preset(3, 100, 10_000, 2, Infinity),
  /** One attempt. */
  none: preset(1, 0, 0, 1, Infinity),
  /** Many quick attempts: 10, from 100 ms, times 1.5, at most 10 s, for one minute. */
  aggressive: preset(10, 100, 10_000, 1.5, 60_000),
  /** Few slow ones: 3, from 5 s, doubling, at most 5 minutes, for 15 minutes. */
  conservative: preset(3, 5_000, 300_000, 2, 900_000),
  /** No limit: from 1 s, doubling, at most one minute. */
  infinite: preset(Infinity, 1_000, 60_000, 2, Infinity),
  /** The same wait each time, without jitter. */
  fixed: (maxAttempts, interval) => ({
    maxAttempts,
    initialInterval: interval,
    maxInterval: interval,
    multiplier: 1,
    jitter: 0,
  }),
  /** Growing waits with jitter. */
  exponential: (maxAttempts, initial, max, multiplier = 2) => ({
    maxAttempts,
    initialInterval: initial,
    maxInterval: max,
    multiplier,
    jitter: 0.5,
  }),
};

function preset(
  maxAttempts: number,
  initialInterval: number,
  maxInterval: number,
  multiplier: number,
  maxDuration: number,
): RetryPolicy {
  const unlimited = maxDuration === Infinity ? {} : { maxDuration };
  return { maxAttempts, initialInterval, maxInterval, multiplier, jitter: 0.5, ...unlimited };
}

const KNOWN: KnownKeys<RetryPolicy> = {
  maxAttempts: true,
  initialInterval: true,
  maxInterval: true,
  multiplier: true,
  jitter: true,
  maxDuration: true,
  retryableErrors: true,
  nonRetryableErrors: true,
};

/**
 * What a user gives as a policy: where it is given, and not at the first failure.
 *
 * @param what the option, such as `"retry"`
 * @throws ValidationError when it is no policy, or a field is unknown or out of its range
 */
export function checkRetryPolicy(what: string, given: RetryPolicy | false | undefined): void {
  if (given === undefined || given === false) return;
  if (!isObject(given)) {
    throw new ValidationError(`${what} must be a policy such as { maxAttempts: 5 }, or false for one attempt.`);
  }
  checkKeys(what, given, KNOWN);
  resolveRetryPolicy([given]);
  for (const field of ["retryableErrors", "nonRetryableErrors"] as const) checkMatchers(field, given[field]);
}

function checkMatchers(field: string, matchers: unknown): void {
  if (matchers === undefined) return;
  const isMatcher = (one: unknown): boolean =>
    typeof one === "string" || (typeof one === "function" && typeof one.prototype === "object");
  if (Array.isArray(matchers) && matchers.every(isMatcher)) return;
  throw new ValidationError(`retry.${field} must be a list of classes of errors, or of their names.`);
}

/**
 * One policy out of several, the first ones winning field by field; `false` means one attempt.
 *
 * @throws ValidationError when a field is out of its range
 */
export function resolveRetryPolicy(policies: readonly (RetryPolicy | false | undefined)[]): ResolvedRetryPolicy {
  const given: RetryPolicy = Object.assign({}, ...policies.toReversed().map(fieldsOf));
  const initialInterval = toMilliseconds(given.initialInterval ?? 100, "retry.initialInterval");
  const maxInterval = toMilliseconds(given.maxInterval ?? 10_000, "retry.maxInterval");
  return {
    maxAttempts: check("maxAttempts", given.maxAttempts ?? 3, (n) => n === Infinity || (Number.isInteger(n) && n >= 1)),
    initialInterval,
    maxInterval: Math.max(initialInterval, maxInterval),
    multiplier: check("multiplier", given.multiplier ?? 2, (n) => Number.isFinite(n) && n >= 1),
    jitter: check("jitter", given.jitter ?? 0.5, (n) => n >= 0 && n <= 1),
    maxDuration: given.maxDuration === undefined ? Infinity : toMilliseconds(given.maxDuration, "retry.maxDuration"),
    retryableErrors: given.retryableErrors,
    nonRetryableErrors: given.nonRetryableErrors ?? [],
  };
}

/** Without fields that are `undefined`, which would hide those of wider policies. */
function fieldsOf(policy: RetryPolicy | false | undefined): RetryPolicy {
  if (policy === false) return { maxAttempts: 1 };
  return Object.fromEntries(Object.entries(policy ?? {}).filter(([, value]) => value !== undefined));
}

const RANGE: Readonly<Record<string, string>> = {
  maxAttempts: "a whole number of 1 or more, or Infinity",
  multiplier: "1 or more",
  jitter: "between 0 and 1",
};

function check(field: string, value: number, valid: (value: number) => boolean): number {
  if (typeof value !== "number" || !valid(value)) {
    throw new ValidationError(`retry.${field} is ${String(value)}; it must be ${RANGE[field]}.`);
  }
  return value;
}

/** What is known of the attempts so far. */
export interface AttemptFacts {
  /** The attempt that just failed, counted from 1. */
  readonly attempt: number;
  /** Epoch milliseconds at which the first attempt began. */
  readonly startedAt: number;
  readonly now: number;
  /** 0 up to, but not including, 1. */
  readonly random: number;
}

/** Epoch milliseconds of the next attempt, or `undefined` when there is none. */
export function nextAttemptAt(policy: ResolvedRetryPolicy, error: unknown, facts: AttemptFacts): number | undefined {
  if (facts.attempt >= policy.maxAttempts || !isRetryable(policy, error)) return undefined;
  // Bounded before it is multiplied: nothing times infinity is not a number.
  const growth = Math.min(policy.multiplier ** (facts.attempt - 1), Number.MAX_SAFE_INTEGER);
  const interval = Math.min(policy.initialInterval * growth, policy.maxInterval);
  const wait = interval * (1 + policy.jitter * (2 * facts.random - 1));
  const at = Math.round(facts.now + Math.max(wait, leastWait(error)));
  return at - facts.startedAt > policy.maxDuration ? undefined : at;
}

function isRetryable(policy: ResolvedRetryPolicy, error: unknown): boolean {
  if (matches(error, [TerminalError, ...policy.nonRetryableErrors])) return false;
  return policy.retryableErrors === undefined || matches(error, policy.retryableErrors);
}

/** How long, in milliseconds, the error itself says to wait. */
function leastWait(error: unknown): number {
  const { retryAfter } = causes(error).find((one) => one instanceof RetryLaterError) ?? { retryAfter: 0 };
  return retryAfter > 0 ? Math.min(retryAfter, LONGEST_WAIT) : 0;
}

/** A hundred years, in milliseconds: a moment later than that may be none that can be stored. */
const LONGEST_WAIT = 100 * 365 * 86_400_000;

/** How far a `cause` chain is followed; it also ends a cycle. */
const CAUSE_DEPTH = 16;

function matches(error: unknown, matchers: readonly ErrorMatcher[]): boolean {
  return causes(error).some((one) => matchers.some((matcher) => matchesOne(one, matcher)));
}

/** The error and what lies beneath it, as far as it lets itself be looked at: a getter or a proxy may throw. */
function causes(error: unknown): Error[] {
  const chain: Error[] = [];
  try {
    for (let current = error; current instanceof Error && chain.length < CAUSE_DEPTH; current = current.cause) {
      chain.push(current);
    }
  } catch {
    // What there is so far has to do.
  }
  return chain;
}

function matchesOne(error: Error, matcher: ErrorMatcher): boolean {
  return typeof matcher === "string"
    ? error.name === matcher || error.constructor.name === matcher
    : error instanceof matcher;
}
