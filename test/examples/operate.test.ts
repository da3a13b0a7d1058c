import { expect, it } from "vitest";
import { runExample } from "./run-example.ts";

it("runs as it is", () => {
  expect(runExample("examples/operate.ts").trim().split("\n")).toEqual([
    "reserved for ORD-1",
    "Workflow order (instance ORD-1) failed: Activity charge:1 failed after 2 attempts: the payment service does not answer",
    "now: paid",
  ]);
});
