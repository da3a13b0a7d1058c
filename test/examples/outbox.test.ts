import { expect, it } from "vitest";
import { runExample } from "./run-example.ts";

it("runs as it is", () => {
  expect(runExample("examples/outbox.ts")).toBe("order.paid ORD-1/pay:1/1\norder.finished ORD-1/send_event:1\n");
});
