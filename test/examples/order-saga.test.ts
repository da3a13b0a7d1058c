import { expect, it } from "vitest";
import { runExample } from "./run-example.ts";

it("runs as it is", () => {
  expect(runExample("examples/order-saga.ts").trim().split("\n")).toEqual([
    "ORD-1: reserved item1",
    "ORD-1: reserved item2",
    "ORD-1: cancelled reservation RES-item2 of item2",
    "ORD-1: cancelled reservation RES-item1 of item1",
    "ORD-1: Activity charge_payment:1 failed after 1 attempt: The card was declined (failed)",
    "ORD-2: reserved item1",
    "ORD-2: reserved item2",
    "ORD-2: charged 80",
    "ORD-2: refunded 80",
    "ORD-2: cancelled reservation RES-item2 of item2",
    "ORD-2: cancelled reservation RES-item1 of item1",
    "ORD-2: Instance ORD-2 was cancelled: changed my mind. (cancelled)",
    "ORD-3: reserved item1",
    "ORD-3: reserved item2",
    "ORD-3: charged 80",
    "ORD-3: { orderId: 'ORD-3', status: 'shipped' } (completed)",
  ]);
});
