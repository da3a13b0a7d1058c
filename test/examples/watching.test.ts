import { expect, it } from "vitest";
import { runExample } from "./run-example.ts";

it("runs as it is", () => {
  expect(runExample("examples/watching.ts").trim().split("\n")).toEqual([
    "charge, attempt 1: Error: The bank does not answer",
    'order: {"charged":99}',
    'romancy_activity_attempts_total{activity="charge",outcome="retried"} 1',
    'romancy_activity_attempts_total{activity="charge",outcome="completed"} 1',
    "start_workflow/order",
    "  timer/sleep:1",
    "  activity/charge",
    "  activity/charge",
    "  workflow/order",
  ]);
});
