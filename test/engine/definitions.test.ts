/** What activities, compensations and workflows cannot be told; it shows when they are defined, or bound. */
import { describe, expect, it } from "vitest";
import { defineActivity, defineCompensation, defineWorkflow, retryPolicies, ValidationError } from "../../src/index.ts";

const step = defineActivity("step", () => 1);
const flow = defineWorkflow("flow", () => 1);

const DEFINITIONS = { activity: defineActivity, compensation: defineCompensation, workflow: defineWorkflow };

describe.each(Object.entries(DEFINITIONS))("the definition of a %s", (kind, given) => {
  const define = given as unknown as (name: unknown, fn?: unknown, options?: unknown) => unknown;

  it("needs a function", () => {
    for (const fn of [undefined, null, "x", { retry: false }]) {
      expect(() => define("x", fn)).toThrow(ValidationError);
      expect(() => define("x", fn)).toThrow(`x must be given a function: define`);
    }
  });

  it("needs a text for a name", () => {
    expect(() => define(undefined, () => 1)).toThrow(`The name of ${kind} must be a text, and was undefined.`);
    expect(() => define(42, () => 1)).toThrow("must be a text, and was 42.");
    expect(() => define(() => 1)).toThrow(ValidationError);
    expect(() => define({ name: "x" }, () => 1)).toThrow("must be a text, and was an object.");
    expect(() => define("x".repeat(201), () => 1)).toThrow("1 to 200 characters");
  });

  it("has no options but those that are known", () => {
    for (const options of [{ retrys: false }, { description: undefined, timout: 1 }, { maxAttempts: 3 }]) {
      expect(() => define("x", () => 1, options)).toThrow(ValidationError);
      expect(() => define("x", () => 1, options)).toThrow(`The options of ${kind} x have no`);
    }
    for (const options of [null, 7, [], "x"]) {
      expect(() => define("x", () => 1, options)).toThrow(`The options of ${kind} x must be an object.`);
    }
    define("x", () => 1, { retry: undefined });
  });

  it.each([[true], [7], ["3"], [null], [[]]])("takes no %j for a policy", (retry) => {
    expect(() => define("x", () => 1, { retry })).toThrow(ValidationError);
    expect(() => define("x", () => 1, { retry })).toThrow(
      "retry must be a policy such as { maxAttempts: 5 }, or false",
    );
  });

  it("takes no policy with what is not known", () => {
    expect(() => define("x", () => 1, { retry: { maxAttemps: 3 } })).toThrow(
      'retry has no "maxAttemps". It can have: max',
    );
    expect(() => define("x", () => 1, { retry: { retryableErrors: Error } })).toThrow("must be a list of classes");
    expect(() => define("x", () => 1, { retry: { nonRetryableErrors: [7] } })).toThrow("must be a list of classes");
    const right = { maxDuration: undefined, retryableErrors: [Error, "TypeError"], nonRetryableErrors: [] };
    for (const retry of [false, right, ...Object.values(retryPolicies).filter((one) => typeof one === "object")]) {
      define("x", () => 1, { retry });
    }
  });
});

it("flags of activities and compensations are true or false", () => {
  for (const flag of ["transactional", "sensitive"]) {
    const options = { [flag]: "no" };
    expect(() => defineActivity("x", () => 1, options)).toThrow(`${flag} must be true or false.`);
    expect(() => defineCompensation("x", () => 1, options)).toThrow(`${flag} must be true or false.`);
  }
});

it("a call of an activity has no settings but those that are known", () => {
  const bind = step.with as (options: unknown) => unknown;
  expect(() => bind({ ids: "a" })).toThrow('The options of a call of activity step have no "ids". They can have: id, ');
  expect(() => bind({ transactional: false })).toThrow(ValidationError);
  expect(() => bind({ retry: true })).toThrow("retry must be a policy");
  expect(() => bind({ id: 7 })).toThrow("must be a text, and was 7.");
  expect(() => bind(undefined)).toThrow("must be an object");
  bind({ id: "a", retry: false, timeout: undefined });
});

it("a start of a workflow has no options but those that are known", () => {
  const bind = flow.with as (options: unknown) => unknown;
  expect(() => bind({ instanceId: "a" })).toThrow(
    'The options of a start of workflow flow have no "instanceId". They can have: id, tags, priority, detached.',
  );
  expect(() => bind({ detached: 1 })).toThrow("detached must be true or false.");
  expect(() => bind("a")).toThrow(ValidationError);
  bind({ id: undefined, tags: {}, priority: 1, detached: true });
});
