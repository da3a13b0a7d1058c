import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ActivityError, RetryLaterError, TerminalError, ValidationError } from "../../src/core/errors.ts";
import {
  nextAttemptAt,
  type ResolvedRetryPolicy,
  type RetryPolicy,
  resolveRetryPolicy,
  retryPolicies,
} from "../../src/core/retry.ts";
import { check } from "./check.ts";

const resolve = (...policies: (RetryPolicy | false | undefined)[]): ResolvedRetryPolicy => resolveRetryPolicy(policies);
const facts = { attempt: 1, startedAt: 0, now: 0, random: 0.5 };
const boom = new Error("boom");

describe("resolveRetryPolicy", () => {
  it("has the documented default", () => {
    expect(resolve()).toEqual({
      maxAttempts: 3,
      initialInterval: 100,
      maxInterval: 10_000,
      multiplier: 2,
      jitter: 0.5,
      maxDuration: Infinity,
      retryableErrors: undefined,
      nonRetryableErrors: [],
    });
    expect(resolve(retryPolicies.default)).toEqual(resolve());
  });

  it("lets the narrower policy win field by field", () => {
    const resolved = resolve({ maxAttempts: 9 }, undefined, { maxAttempts: 5, jitter: 0, maxDuration: "1m" });
    expect(resolved).toMatchObject({ maxAttempts: 9, jitter: 0, maxDuration: 60_000 });
  });

  it("takes false for one attempt, unless a narrower policy says otherwise", () => {
    expect(resolve(false, { maxAttempts: 5 }).maxAttempts).toBe(1);
    expect(resolve({ maxAttempts: 5 }, false).maxAttempts).toBe(5);
  });

  it("never lets the first wait exceed the longest", () => {
    expect(resolve({ initialInterval: "1h" }).maxInterval).toBe(3_600_000);
  });

  it.each<[keyof RetryPolicy, unknown, string]>([
    ["maxAttempts", 0, "a whole number of 1 or more, or Infinity"],
    ["maxAttempts", 1.5, "a whole number"],
    ["maxAttempts", Number.NaN, "NaN"],
    ["maxAttempts", "3", "a whole number"],
    ["multiplier", 0.5, "1 or more"],
    ["multiplier", Infinity, "1 or more"],
    ["jitter", -0.1, "between 0 and 1"],
    ["jitter", 1.1, "between 0 and 1"],
    ["initialInterval", -1, "retry.initialInterval"],
    ["maxInterval", "soon", "retry.maxInterval"],
    ["maxDuration", Number.NaN, "retry.maxDuration"],
  ])("refuses %s of %s", (field, value, message) => {
    expect(() => resolve({ [field]: value })).toThrow(ValidationError);
    expect(() => resolve({ [field]: value })).toThrow(message);
  });

  it("a field given as undefined hides the one of the wider policy", () => {
    const narrow = { maxAttempts: undefined } as unknown as RetryPolicy;
    expect(resolve(narrow, { maxAttempts: 9 }).maxAttempts).toBe(9);
  });
});

describe("retryPolicies", () => {
  it("offers what the documentation says", () => {
    expect(resolve(retryPolicies.none).maxAttempts).toBe(1);
    expect(resolve(retryPolicies.aggressive)).toMatchObject({ maxAttempts: 10, multiplier: 1.5, maxDuration: 60_000 });
    expect(resolve(retryPolicies.conservative)).toMatchObject({ initialInterval: 5_000, maxInterval: 300_000 });
    expect(resolve(retryPolicies.infinite)).toMatchObject({ maxAttempts: Infinity, maxInterval: 60_000 });
  });

  it("makes fixed and exponential ones", () => {
    const fixed = resolve(retryPolicies.fixed(4, "2s"));
    expect([1, 2, 3].map((attempt) => nextAttemptAt(fixed, boom, { ...facts, attempt }))).toEqual([
      2_000, 2_000, 2_000,
    ]);
    expect(resolve(retryPolicies.exponential(6, 10, "1m")).multiplier).toBe(2);
    expect(resolve(retryPolicies.exponential(6, 10, "1m", 3))).toMatchObject({ multiplier: 3, maxInterval: 60_000 });
  });
});

describe("nextAttemptAt", () => {
  it("grows from the first interval to the longest one", () => {
    const policy = resolve({ maxAttempts: Infinity, jitter: 0 });
    const waits = [1, 2, 3, 7, 8, 2_000].map((attempt) => nextAttemptAt(policy, boom, { ...facts, attempt }));
    expect(waits).toEqual([100, 200, 400, 6_400, 10_000, 10_000]);
  });

  it("stops at the last attempt", () => {
    expect(nextAttemptAt(resolve(), boom, { ...facts, attempt: 2 })).toBeDefined();
    expect(nextAttemptAt(resolve(), boom, { ...facts, attempt: 3 })).toBeUndefined();
  });

  it("stops when the attempt would begin too late", () => {
    const policy = resolve({ maxDuration: 1_000, jitter: 0, maxAttempts: 9 });
    expect(nextAttemptAt(policy, boom, { ...facts, now: 900 })).toBe(1_000);
    expect(nextAttemptAt(policy, boom, { ...facts, now: 901 })).toBeUndefined();
  });

  it("keeps jitter within its share of the wait, never in the past", () => {
    const shares = fc.double({ min: 0, max: 1, noNaN: true });
    const randoms = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    check(
      fc.property(shares, randoms, fc.integer({ min: 1, max: 2_000 }), (jitter, random, attempt) => {
        const policy = resolve({ jitter, maxAttempts: Infinity });
        const wait = Math.min(100 * 2 ** (attempt - 1), 10_000);
        const at = nextAttemptAt(policy, boom, { attempt, startedAt: 0, now: 5_000, random }) ?? Number.NaN;
        expect(at).toBeGreaterThanOrEqual(Math.floor(5_000 + wait * (1 - jitter)));
        expect(at).toBeLessThanOrEqual(Math.ceil(5_000 + wait * (1 + jitter)));
      }),
    );
  });

  it("waits at least as long as the error says", () => {
    const policy = resolve({ jitter: 0, maxInterval: 1_000 });
    const at = (retryAfter: number): number | undefined =>
      nextAttemptAt(policy, new Error("x", { cause: new RetryLaterError("busy", retryAfter) }), { ...facts, now: 5 });
    expect([30_000, 100, 99, 0, -1, Number.NaN].map(at)).toEqual([30_005, 105, 105, 105, 105, 105]);
    expect(at(Infinity)).toBeLessThan(Number.MAX_SAFE_INTEGER);
  });

  it("makes no further attempt because the error says when", () => {
    const late = new RetryLaterError("busy", 2_000);
    expect(nextAttemptAt(resolve({ maxDuration: 1_000 }), late, facts)).toBeUndefined();
    expect(nextAttemptAt(resolve({ maxAttempts: 1 }), late, facts)).toBeUndefined();
  });

  it("without a first interval, the 1025th wait is not a number (0 times infinity)", () => {
    const policy = resolve({ initialInterval: 0, maxAttempts: Infinity });
    expect(nextAttemptAt(policy, boom, { ...facts, attempt: 1_025 })).toBe(0);
  });
});

describe("which errors are retried", () => {
  class CardError extends Error {}
  const retried = (policy: RetryPolicy, error: unknown): boolean =>
    nextAttemptAt(resolve(policy), error, facts) !== undefined;

  it("never a TerminalError, not even as a cause", () => {
    expect(retried({}, new TerminalError("no"))).toBe(false);
    expect(retried({ retryableErrors: [Error] }, new ActivityError("a", "a:1", 1, new TerminalError("no")))).toBe(
      false,
    );
  });

  it("not those that are named, by class or by name", () => {
    const renamed = Object.assign(new Error("x"), { name: "CardError" });
    expect(retried({ nonRetryableErrors: [CardError] }, new CardError("x"))).toBe(false);
    expect(retried({ nonRetryableErrors: ["CardError"] }, new CardError("x"))).toBe(false);
    expect(retried({ nonRetryableErrors: ["CardError"] }, renamed)).toBe(false);
    expect(retried({ nonRetryableErrors: [CardError, "Other"] }, boom)).toBe(true);
  });

  it("only those that are named, when some are", () => {
    expect(retried({ retryableErrors: [CardError] }, boom)).toBe(false);
    expect(retried({ retryableErrors: [CardError] }, new Error("x", { cause: new CardError("y") }))).toBe(true);
    expect(retried({ retryableErrors: [] }, boom)).toBe(false);
  });

  it("also what is not an error, and causes that go in circles", () => {
    const circle = new Error("x");
    circle.cause = circle;
    expect(retried({}, "text")).toBe(true);
    expect(retried({ retryableErrors: [CardError] }, "text")).toBe(false);
    expect(retried({ nonRetryableErrors: [CardError] }, circle)).toBe(true);
  });
});
