/** The tools of workflows, by both ways, to clients of both eras of the protocol. */
import type { Client } from "@modelcontextprotocol/client";
import { describe, expect, it } from "vitest";
import { startApp } from "../support/apps.ts";
import { until } from "../support/wait.ts";
import { call, connectHttp, connectStdio, type Era, startHttp } from "./support/clients.ts";

const WAYS: Readonly<Record<string, (era: Era) => Promise<Client>>> = {
  stdio: async (era) => (await connectStdio(era)).client,
  "HTTP without sessions": async (era) => connectHttp((await startHttp()).url, era),
  "HTTP with sessions": async (era) => connectHttp((await startHttp({ sessions: true })).url, era),
};

const CASES = Object.entries(WAYS).flatMap(([way, connect]) =>
  (["legacy", "modern"] as const).map((era) => [way, era, () => connect(era)] as const),
);

describe.each(CASES)("by %s, %s", (_way, era, connect) => {
  it("starts, polls, and gives the result", async () => {
    const client = await connect();
    expect(client.getServerVersion()).toMatchObject({ name: "orders", version: "1.2.3" });
    const started = await call(client, "order_start", { orderId: "ORD-1", amount: 5 });
    expect(started).toMatchObject({ isError: false, data: { instance_id: "ORD-1" } });
    expect(started.text).toContain("order_result");

    let status = await call(client, "order_status", { instance_id: "ORD-1" });
    await until(async () => {
      status = await call(client, "order_status", { instance_id: "ORD-1" });
      return (status.data as { status: string }).status === "waiting";
    });
    expect(status.data).toEqual({
      instance_id: "ORD-1",
      status: "waiting",
      workflow_name: "order",
      started_at: expect.stringMatching(/^\d{4}-.*Z$/),
      updated_at: expect.stringMatching(/^\d{4}-.*Z$/),
      completed_activities: 1,
      waiting_for: [{ kind: "event", operation_id: "wait_event:1", types: ["paid"], key: "ORD-1" }],
      poll_interval_ms: 10_000,
    });
    expect(status.text).toBe(
      "Instance ORD-1 is waiting for the event paid (ORD-1); 1 activity is completed. Ask again in 10 seconds, not sooner.",
    );

    const early = await call(client, "order_result", { instance_id: "ORD-1" });
    expect(early).toMatchObject({ isError: true, data: { instance_id: "ORD-1", status: "waiting" } });
    expect(early.text).toContain("Ask again in 10 seconds, or with wait_seconds, of at most 50.");

    const shop = await startApp({ worker: false });
    await shop.sendEvent({ type: "paid", source: "/psp", subject: "ORD-1" });
    const output = { orderId: "ORD-1", amount: 5, reservation: "RES-ORD-1", at: "1970-01-01T00:00:00.000Z" };
    const result = await call(client, "order_result", { instance_id: "ORD-1", wait_seconds: 50 });
    expect(result).toEqual({
      isError: false,
      text: JSON.stringify(output),
      data: { instance_id: "ORD-1", status: "completed", output },
    });
    const ended = await call(client, "order_status", { instance_id: "ORD-1" });
    expect(ended.text).toContain("Ask order_result what came of it.");
    expect(ended.data).not.toHaveProperty("poll_interval_ms");
    expect(era).toBe(client.getProtocolEra());
  });
});
