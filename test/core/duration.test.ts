import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Duration, toMilliseconds } from "../../src/core/duration.ts";
import { ValidationError } from "../../src/core/errors.ts";
import { check } from "./check.ts";

const milliseconds = (duration: unknown): number => toMilliseconds(duration as Duration, "The timeout");

describe("toMilliseconds", () => {
  it.each<[Duration, number]>([
    [0, 0],
    [250, 250],
    [0.2, 1],
    ["500ms", 500],
    ["1 millisecond", 1],
    ["30s", 30_000],
    ["2 secs", 2_000],
    ["1.5 minutes", 90_000],
    ["5m", 300_000],
    ["1 hr", 3_600_000],
    ["3 days", 259_200_000],
    ["1w", 604_800_000],
  ])("reads %j as %d ms", (duration, expected) => {
    expect(toMilliseconds(duration, "It")).toBe(expected);
  });

  it.each([" 30s ", "30S", "30 Seconds", ".5s"])("is lenient with %j", (duration) => {
    expect(milliseconds(duration)).toBe(duration === ".5s" ? 500 : 30_000);
  });

  it.each([
    -1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    8.64e15 + 2,
    "",
    "5",
    "s",
    "-5s",
    "5 parsecs",
    "5  s",
    "1s 2ms",
    "5 toString",
    "5 constructor",
    null,
    undefined,
    {},
    [],
    true,
  ])("refuses %j and says what was meant", (duration) => {
    expect(() => milliseconds(duration)).toThrow(ValidationError);
    expect(() => milliseconds(duration)).toThrow("The timeout is not a duration");
  });

  it("names what it was given", () => {
    expect(() => milliseconds("soon")).toThrow('"soon"');
    expect(() => milliseconds(undefined)).toThrow("undefined");
  });

  it("never waits shorter than asked for, and at most one millisecond longer", () => {
    const amounts = fc.double({ min: 0, max: 1e9, noNaN: true }).filter((amount) => !String(amount).includes("e"));
    const units = fc.constantFrom(["ms", 1], ["s", 1_000], ["h", 3_600_000]);
    check(
      fc.property(amounts, units, (amount, [unit, factor]) => {
        const result = milliseconds(`${amount}${unit}`);
        expect(result).toBeGreaterThanOrEqual(amount * Number(factor));
        expect(result).toBeLessThan(amount * Number(factor) + 1);
        expect(Number.isInteger(result)).toBe(true);
      }),
    );
  });

  // Each pins a fault: it goes red when the fault is mended.
  it("NaN is called null in the message", () => {
    expect(() => milliseconds(Number.NaN)).toThrow("NaN");
  });

  it("what JSON cannot hold is a TypeError instead of a ValidationError", () => {
    expect(() => milliseconds(5n)).toThrow(ValidationError);
  });

  it("whole milliseconds are rounded up by the error of the multiplication", () => {
    expect(milliseconds("4.03s")).toBe(4_030);
  });

  it("an amount with an exponent has the type Duration, but is refused", () => {
    const duration: Duration = "1e3ms";
    expect(milliseconds(duration)).toBe(1_000);
  });
});
