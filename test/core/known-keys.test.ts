import { expect, it } from "vitest";
import { ValidationError } from "../../src/core/errors.ts";
import { checkFlag, checkFunction, checkKeys, checkOptions } from "../../src/core/known-keys.ts";

const KNOWN = { one: true, two: true, "~door": true } as const;

it("takes what is known, also when it is undefined, and the doors", () => {
  for (const given of [{}, { one: 1 }, { one: undefined, two: null }, { "~door": 1 }]) {
    checkKeys("A filter", given, KNOWN);
    checkOptions("a thing", given, KNOWN);
  }
});

it("says what is not known, even when it is undefined, and what is; of doors it says nothing", () => {
  expect(() => checkKeys("A filter", { three: undefined }, KNOWN)).toThrow(
    new ValidationError('A filter has no "three". It can have: one, two.'),
  );
  expect(() => checkOptions("a thing", { one: 1, toString: 1 }, KNOWN)).toThrow(
    new ValidationError('The options of a thing have no "toString". They can have: one, two.'),
  );
});

it.each([[undefined], [null], [7], ["text"], [[]], [() => {}]])("refuses %s, which is no object", (given) => {
  expect(() => checkKeys("A filter", given, KNOWN)).toThrow("A filter must be an object.");
  expect(() => checkOptions("a thing", given, KNOWN)).toThrow("The options of a thing must be an object.");
});

it("tells flags and functions from what is none", () => {
  for (const flag of [undefined, true, false]) checkFlag("x", flag);
  for (const other of [null, 0, "no"]) expect(() => checkFlag("x", other)).toThrow("x must be true or false.");
  checkFunction("X", () => {}, "f(() => {})");
  expect(() => checkFunction("X", undefined, "f(() => {})")).toThrow("X must be given a function: f(() => {}).");
});
