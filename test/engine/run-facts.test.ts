import { expect, it } from "vitest";
import { systemClock } from "../../src/engine/clock.ts";
import { HookRunner } from "../../src/engine/watching/hooks.ts";
import { RunFacts } from "../../src/engine/watching/run-facts.ts";
import { recordingHooks } from "../support/facts.ts";
import { silent } from "../support/silent.ts";

it("tells the end of a run that was claimed again before it was known to be set aside", () => {
  const { hooks, told } = recordingHooks();
  const none = { signals: 0, recoveries: 0, parentId: undefined, traceContext: undefined, cancel: undefined };
  const claim = { id: "i", workflow: "flow", input: "[]", epoch: 1, createdAt: 1, ...none };
  const facts = new RunFacts(new HookRunner([hooks], undefined, silent), systemClock, claim, []);
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
