import { expect, it } from "vitest";
import { runExample } from "./run-example.ts";

it("runs as it is", () => {
  expect(runExample("examples/children.ts").trim().split("\n")).toEqual([
    "delivered in Oslo, delivered in Rome",
    expect.stringContaining("there is no road to Atlantis"),
    "booked a van to Paris",
    "booked a van to Atlantis",
    "cancelled the van to Atlantis",
    "cancelled the van to Paris",
    "cancelled, failed",
  ]);
});
