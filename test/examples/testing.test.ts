import { expect, it } from "vitest";
import { runExample } from "./run-example.ts";

it("passes as it is", () => {
  const output = runExample("examples/testing.ts", { flags: ["--test-reporter=tap"] });
  expect(output).toContain("# pass 4\n");
  expect(output).toContain("# fail 0\n");
});
