import { expect, it } from "vitest";
import { encodeThrown } from "../../src/core/codec.ts";
import { CompensationError } from "../../src/core/errors.ts";
import { systemClock } from "../../src/engine/clock.ts";
import { HookRunner } from "../../src/engine/watching/hooks.ts";
import { RunFacts } from "../../src/engine/watching/run-facts.ts";
import type { Hooks } from "../../src/index.ts";
import { recordingHooks } from "../support/facts.ts";
import { silent } from "../support/silent.ts";

function factsFor(hooks: Hooks): RunFacts {
  const none = { signals: 0, recoveries: 0, parentId: undefined, traceContext: undefined, cancel: undefined };
  const claim = { id: "i", workflow: "flow", input: "[]", epoch: 1, createdAt: 1, ...none };
  return new RunFacts(new HookRunner([hooks], undefined, silent), systemClock, claim, []);
}

it("tells the end of a run that was claimed again before it was known to be set aside", () => {
  const { hooks, told } = recordingHooks();
  const facts = factsFor(hooks);
  facts.runStarted(0, true);
  facts.runStarted(1, false);
  facts.runEnded("ended");
  facts.runEnded("dropped");
  expect(told.map(({ name, fact }) => [name, fact["reason"]])).toEqual([
    ["onRunStart", undefined],
    ["onRunEnd", "waiting"],
    ["onRunStart", undefined],
    ["onRunEnd", "ended"],
  ]);
});

it("hides what a sensitive compensation threw while another worker ran the instance", () => {
  const { hooks, of } = recordingHooks();
  const facts = factsFor(hooks);
  const undo = { name: "undo", options: { sensitive: true }, fn: () => {} };
  const failed = {
    kind: "compensation_failed",
    operationId: "reserve:1/compensation:1",
    compensation: "undo",
  } as const;
  facts.cameTo({ ...failed, seq: 3, at: 1, attempts: 1, error: encodeThrown(new Error("hush")) }, undo);
  const error = encodeThrown(new CompensationError("undo", "reserve:1", 1, new Error("hush")));
  const patch = { event: "fail", at: 2, error: encodeThrown("no"), compensationErrors: `[${error}]` } as const;
  facts.applied({ events: [], patch }, []);
  const message = "Compensation undo of reserve:1 failed after 1 attempt: [redacted]";
  expect(of("onWorkflowFailed")).toMatchObject([{ error: "no", compensationErrors: [{ message }] }]);
});
