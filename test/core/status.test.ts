import { describe, expect, it } from "vitest";
import {
  INSTANCE_STATUSES,
  type InstanceStatus,
  isFinished,
  type StatusEvent,
  transition,
} from "../../src/core/status.ts";

const EVENTS: readonly StatusEvent[] = [
  "claim",
  "suspend",
  "block",
  "complete",
  "fail",
  "cancel",
  "recur",
  "compensate",
  "retry",
  "release",
];

/** Everything that may happen; whatever is not here must be `undefined`. */
const ALLOWED: readonly (readonly [InstanceStatus, StatusEvent, InstanceStatus])[] = [
  ["pending", "claim", "running"],
  ["running", "suspend", "waiting"],
  ["running", "block", "blocked"],
  ["running", "complete", "completed"],
  ["running", "fail", "failed"],
  ["running", "cancel", "cancelled"],
  ["running", "recur", "recurred"],
  ["running", "compensate", "compensating"],
  ["running", "release", "running"],
  ["running", "claim", "running"],
  ["waiting", "claim", "running"],
  ["blocked", "claim", "running"],
  ["blocked", "retry", "blocked"],
  ["failed", "retry", "pending"],
  ["compensating", "claim", "compensating"],
  ["compensating", "compensate", "compensating"],
  ["compensating", "suspend", "compensating"],
  ["compensating", "block", "blocked"],
  ["compensating", "fail", "failed"],
  ["compensating", "cancel", "cancelled"],
  ["compensating", "release", "compensating"],
  ["completed", "compensate", "compensating"],
  ["failed", "compensate", "compensating"],
  ["cancelled", "compensate", "compensating"],
];

describe("transition", () => {
  it.each(ALLOWED)("%s: %s leads to %s", (from, event, to) => {
    expect(transition(from, event)).toBe(to);
  });

  it("allows nothing else", () => {
    const moves = INSTANCE_STATUSES.flatMap((from) => EVENTS.filter((event) => transition(from, event) !== undefined));
    expect(moves).toHaveLength(ALLOWED.length);
  });
});

describe("isFinished", () => {
  it("holds for the statuses in which nothing happens by itself", () => {
    expect(INSTANCE_STATUSES.filter(isFinished)).toEqual(["completed", "failed", "cancelled", "recurred"]);
  });
});

describe("INSTANCE_STATUSES", () => {
  it("lists each status once", () => {
    expect(INSTANCE_STATUSES).toHaveLength(9);
    expect(new Set(INSTANCE_STATUSES).size).toBe(9);
  });
});
