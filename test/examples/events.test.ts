import { expect, it } from "vitest";
import { runExample } from "./run-example.ts";

it("runs as it is", () => {
  expect(runExample("examples/events.ts")).toBe("ORD-1 was paid: 99.99\n");
});
