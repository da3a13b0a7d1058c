import { expect, it } from "vitest";
import { runExample } from "./run-example.ts";

it("runs as it is", () => {
  expect(runExample("examples/channels.ts").trim().split("\n")).toEqual([
    "results: 1 4 9 16 25 36 49 64",
    "8 jobs done by 3 workers, who have all gone home",
  ]);
});
