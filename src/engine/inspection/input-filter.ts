/** Values that inputs are searched for. */
import { ValidationError } from "../../core/errors.ts";
import type { InputCondition } from "../../store/store.ts";

/** The most values that are compared at once. */
const MOST_CONDITIONS = 10;

/** A member's name: letters, digits, `_`, `$` and `-`. No quotes, so nothing gets out of the path that it is put into. */
const NAME = /^[\p{L}_$][\p{L}\p{N}_$-]*$/u;

/** A place in a list. */
const POSITION = /^(0|[1-9]\d{0,8})$/;

/** @throws ValidationError */
export function conditionsOf(input: unknown): InputCondition[] {
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    throw new ValidationError('input must be an object of paths and values, such as { "0.orderId": "ORD-123" }.');
  }
  const conditions = Object.entries(input);
  if (conditions.length > MOST_CONDITIONS) {
    throw new ValidationError(`input has ${conditions.length} paths; it may have ${MOST_CONDITIONS} at most.`);
  }
  return conditions.map(([path, value]) => {
    return { steps: stepsOf(path), value: jsonOf(path, value) };
  });
}

function stepsOf(path: string): InputCondition["steps"] {
  const steps = path.split(".");
  if (!steps.every((step) => NAME.test(step) || POSITION.test(step))) {
    throw new ValidationError(
      `input has the path ${JSON.stringify(path)}. A path is made of names and positions, joined by dots, such as ` +
        '"0.items.2.sku"; a name has letters, digits, _, $ and -, and does not begin with a digit.',
    );
  }
  const whole = steps.map((step) => (POSITION.test(step) ? Number(step) : step));
  return typeof whole[0] === "number" ? whole : [0, ...whole];
}

function jsonOf(path: string, value: unknown): string {
  const isText = typeof value === "string" && value.isWellFormed();
  if (value === null || isText || typeof value === "boolean" || Number.isFinite(value)) return JSON.stringify(value);
  throw new ValidationError(
    `input has a value at ${path} that is no whole text, finite number, boolean or null. Compare the members of objects and lists one by one.`,
  );
}
