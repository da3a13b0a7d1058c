import { expect, it } from "vitest";
import { runExample } from "./run-example.ts";

it("runs as it is", () => {
  expect(runExample("examples/http.ts").trim().split("\n")).toEqual([
    "200 ready",
    '{"error":"The request is not allowed.","error_type":"Forbidden","retryable":false}',
    '{"status":"accepted","id":"pay-1"}',
    '{"status":"accepted","id":"pay-1"}',
    "ORD-1 was paid: 99.99",
  ]);
});
