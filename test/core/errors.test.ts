import { describe, expect, it } from "vitest";
import * as errors from "../../src/core/errors.ts";

const cause = new Error("disk full");

/** Each error once, with what its message must say. */
const each: readonly (readonly [errors.RomancyError, string, string])[] = [
  [
    new errors.ActivityError("charge", "charge:1", 3, cause),
    "ACTIVITY_FAILED",
    "charge:1 failed after 3 attempts: disk full",
  ],
  [new errors.TerminalError("stolen", { cause }), "TERMINAL", "stolen"],
  [new errors.RetryLaterError("busy", 30_000, { cause }), "RETRY_LATER", "busy"],
  [new errors.ActivityTimeoutError("charge:1", 50), "ACTIVITY_TIMEOUT", "charge:1 did not finish within 50 ms"],
  [new errors.WorkflowFailedError("order", "i-1", cause), "WORKFLOW_FAILED", "order (instance i-1) failed: disk full"],
  [
    new errors.NonDeterminismError(4, "timer_fired of sleep:1", "asked for charge:1"),
    "NON_DETERMINISM",
    "at position 4 the history records timer_fired of sleep:1, but the code asked for charge:1",
  ],
  [new errors.OperationIdConflictError("a:1"), "OPERATION_ID_CONFLICT", "a:1 was already used"],
  [
    new errors.SerializationError("The result", "a.b", "is a function."),
    "SERIALIZATION",
    "The result cannot be stored: a.b is a",
  ],
  [new errors.ValidationError("wrong"), "VALIDATION", "wrong"],
  [new errors.InstanceNotFoundError("i-1"), "INSTANCE_NOT_FOUND", "no instance i-1"],
  [new errors.InstanceConflictError("i-1", "input"), "INSTANCE_CONFLICT", "i-1 exists already with another input"],
  [new errors.WorkflowNotRegisteredError("order"), "WORKFLOW_NOT_REGISTERED", "order is not registered"],
  [new errors.ResultTimeoutError("i-1", 50), "RESULT_TIMEOUT", "i-1 had no result within 50 ms"],
  [new errors.AppStateError("not started"), "APP_STATE", "not started"],
  [new errors.DuplicateNameError("twice"), "DUPLICATE_NAME", "twice"],
  [new errors.MisplacedCallError("inside"), "MISPLACED_CALL", "inside"],
  [new errors.EventTimeoutError(["paid", "failed"], "o-1"), "EVENT_TIMEOUT", "paid or failed with the key o-1"],
  [new errors.ChannelTimeoutError("news"), "CHANNEL_TIMEOUT", "No message came on channel news"],
  [
    new errors.ChannelModeConflictError("news", "broadcast", "competing"),
    "CHANNEL_MODE_CONFLICT",
    "news is in use as broadcast and cannot be subscribed to as competing",
  ],
  [new errors.ChannelNotSubscribedError("news"), "CHANNEL_NOT_SUBSCRIBED", "has not subscribed to channel news"],
  [new errors.CancelledError("i-1", "too late"), "CANCELLED", "i-1 was cancelled: too late."],
  [new errors.InstanceNotCancellableError("i-1", "completed"), "INSTANCE_NOT_CANCELLABLE", "i-1 is completed"],
  [
    new errors.InstanceNotRetryableError("i-1", "completed", "only what has failed is retried."),
    "INSTANCE_NOT_RETRYABLE",
    "i-1 is completed and cannot be retried: only",
  ],
  [
    new errors.CompensationError("release", "reserve:1", 10, cause),
    "COMPENSATION_FAILED",
    "release of reserve:1 failed after 10 attempts: disk full",
  ],
  [new errors.NothingToCompensateError("i-1", "completed"), "NOTHING_TO_COMPENSATE", "i-1 is completed and has no"],
  [new errors.InstanceFinishedError("i-1", "completed"), "INSTANCE_FINISHED", "i-1 is completed"],
  [new errors.QuarantineError(3), "QUARANTINED", "3 workers in a row"],
  [new errors.SessionError("closed", { cause }), "SESSION", "closed"],
  [new errors.UnsupportedDatabaseError("install pg", { cause }), "UNSUPPORTED_DATABASE", "install pg"],
  [new errors.PublishError("broker said 503", { cause }), "PUBLISH", "broker said 503"],
  [new errors.MissingPackageError("HTTP needs", "y"), "MISSING_PACKAGE", "HTTP needs the package `y`"],
  [new errors.SchemaVersionError("newer"), "SCHEMA_VERSION", "newer"],
  [new errors.MigrationRefusedError("in use"), "MIGRATION_REFUSED", "in use"],
  [new errors.StoreError("refused", { cause }), "STORE", "refused"],
];

describe("errors", () => {
  it.each(each)("%s has its code, its name and a message that says what happened", (error, code, message) => {
    expect(error).toBeInstanceOf(errors.RomancyError);
    expect(error.code).toBe(code);
    expect(error.name).toBe(error.constructor.name);
    expect(error.message).toContain(message);
  });

  it("have a code of their own each, and are all listed here", () => {
    const classes = Object.keys(errors).filter((name) => name.endsWith("Error") && name !== "RomancyError");
    expect(each.map(([error]) => error.name).toSorted()).toEqual(classes.toSorted());
    expect(new Set(each.map(([, code]) => code)).size).toBe(each.length);
  });

  it("keep the cause where there is one", () => {
    const withCause = each.filter(([error]) => error.cause === cause).map(([error]) => error.name);
    expect(withCause).toEqual([
      "ActivityError",
      "TerminalError",
      "RetryLaterError",
      "WorkflowFailedError",
      "CompensationError",
      "SessionError",
      "UnsupportedDatabaseError",
      "PublishError",
      "StoreError",
    ]);
  });

  it("carry their data", () => {
    expect(new errors.ActivityError("a", "a:1", 1, "no")).toMatchObject({
      activity: "a",
      activityId: "a:1",
      attempts: 1,
    });
    expect(new errors.ActivityError("a", "a:1", 1, "no").message).toBe("Activity a:1 failed after 1 attempt: no");
    expect(new errors.NonDeterminismError(1, "x", "y")).toMatchObject({ position: 1, recorded: "x", asked: "y" });
    expect(new errors.SerializationError("It", "", "is odd.")).toMatchObject({ path: "" });
    expect(new errors.SerializationError("It", "", "is odd.").message).toBe("It cannot be stored: it is odd.");
    expect(new errors.PublishError("later", { retryAfter: 5 })).toMatchObject({ retryAfter: 5 });
    expect(new errors.PublishError("later").retryAfter).toBeUndefined();
    expect(new errors.ValidationError("wrong").issues).toEqual([{ message: "wrong" }]);
    expect(new errors.ValidationError("wrong", []).issues).toEqual([]);
  });
});

describe("messageOf", () => {
  it("says something of whatever was thrown", () => {
    expect(errors.messageOf(new Error("boom"))).toBe("boom");
    expect(errors.messageOf(new TypeError())).toBe("TypeError");
    expect(errors.messageOf("text")).toBe("text");
    expect(errors.messageOf(undefined)).toBe("undefined");
    expect(errors.messageOf(Symbol("s"))).toBe("Symbol(s)");
  });

  it("throws on a stored value that has no text form", () => {
    expect(errors.messageOf({ toString: null })).toBeTypeOf("string");
  });
});
