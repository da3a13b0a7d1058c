/** What is no export is refused before anything is run. The rest is in test/conformance/history-export.test.ts. */
import { expect, it } from "vitest";
import { ValidationError } from "../../src/index.ts";
import { replayCheck } from "../../src/testing/index.ts";

const event = { seq: 1, at: 0, kind: "activity_completed", operationId: "a:1", result: "1" };
const instance = {
  id: "i-1",
  workflow: "flow",
  version: null,
  status: "running",
  input: "[]",
  output: null,
  error: null,
  cancelReason: null,
  compensationErrors: null,
};
const good = { format: 1, instance, events: [event] };

const check = (history: unknown): Promise<unknown> => replayCheck({ workflows: [], histories: [history] });

it("reads what was exported", async () => {
  expect(await check(good)).toMatchObject([{ type: "not_registered", instanceId: "i-1", workflow: "flow" }]);
});

it.each([
  ["nothing", null, "not an object"],
  ["a text", "{}", "not an object"],
  ["another format", { ...good, format: 2 }, "Its format is 2; this version of romancy reads 1"],
  ["no format", { ...good, format: undefined }, "Its format is missing"],
  ["no instance", { ...good, instance: undefined }, "no `instance`"],
  ["no input", { ...good, instance: { ...instance, input: undefined } }, "`instance.input` is not a text"],
  ["an output of another form", { ...good, instance: { ...instance, output: 5 } }, "`instance.output` is not a text"],
  ["an unknown status", { ...good, instance: { ...instance, status: "lost" } }, '`instance.status` is "lost"'],
  ["no events", { ...good, events: {} }, "no list of `events`"],
  ["an event of another form", { ...good, events: [5] }, "not an object"],
  ["events out of order", { ...good, events: [event, event] }, "order of `seq`"],
  ["an event of nobody", { ...good, events: [{ ...event, operationId: 5 }] }, "no `operationId`"],
  ["an event of a later version", { ...good, events: [{ ...event, kind: "time_travelled" }] }, "kind time_travelled"],
])("refuses %s", async (_, history, message) => {
  const refusal = await check(history).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(ValidationError);
  expect((refusal as Error).message).toContain(message);
});
