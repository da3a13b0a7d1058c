import { expect, it } from "vitest";
import { runExample } from "./run-example.ts";

it("runs as it is", () => {
  expect(runExample("examples/recur.ts").trim().split("\n")).toEqual([
    "the sum is 55",
    "recurred, after 4 messages",
    "recurred, after 4 messages",
    "completed, after 3 messages",
  ]);
});
