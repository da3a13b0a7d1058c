/** Calls that wait: what they tell meanwhile, and how they are ended. */
import type { Client, Progress } from "@modelcontextprotocol/client";
import { expect, it } from "vitest";
import { createMcpServer, type WorkflowServerOptions } from "../../src/mcp/index.ts";
import { outcomeOf } from "../../src/mcp/outcome.ts";
import { startApp } from "../support/apps.ts";
import { urlOf } from "../support/http.ts";
import { gate, until } from "../support/wait.ts";
import { call, connectHttp, connectStdio, type Era, startHttp } from "./support/clients.ts";
import { order } from "./support/orders.ts";

const WAYS: readonly [string, Era, () => Promise<Client>][] = [
  ["stdio", "legacy", async () => (await connectStdio("legacy")).client],
  ["stdio", "modern", async () => (await connectStdio("modern")).client],
  ["HTTP", "legacy", async () => connectHttp((await startHttp()).url, "legacy")],
  ["HTTP with a session", "legacy", async () => connectHttp((await startHttp({ sessions: true })).url, "legacy")],
  ["HTTP", "modern", async () => connectHttp((await startHttp()).url, "modern")],
];

it.each(WAYS)("tells of progress, by %s, %s", async (_way, _era, connect) => {
  const client = await connect();
  const shop = await startApp({ worker: false });
  const { data } = await call(client, "steps_start", { arguments: [2] });
  const { instance_id } = data as { instance_id: string };
  const told: Progress[] = [];
  const result = await client.callTool(
    { name: "steps_result", arguments: { instance_id, wait_seconds: 50 } },
    {
      onprogress(progress) {
        told.push(progress);
        // Each step goes on when it was told of the one before.
        if (progress.progress >= 1) void shop.sendEvent({ type: "go", source: "/test", id: `go-${progress.progress}` });
      },
    },
  );
  expect(result.structuredContent).toMatchObject({ status: "completed", output: 2 });
  const counts = told.map(({ progress }) => progress);
  expect(counts.filter((count) => count > 0)).toEqual([1, 2]);
  expect(told.at(-1)?.message).toMatch(/2 activities are completed$/);
});

it.each(WAYS)("ends the waiting, not the workflow, when the client cancels, by %s, %s", async (_way, _era, connect) => {
  const client = await connect();
  await call(client, "order_start", { orderId: "ORD-1", amount: 5 });
  const cancel = new AbortController();
  const waiting = client.callTool(
    { name: "order_result", arguments: { instance_id: "ORD-1", wait_seconds: 50 } },
    { signal: cancel.signal, onprogress: () => cancel.abort("I have changed my mind.") },
  );
  await expect(waiting).rejects.toThrow("I have changed my mind.");
  await until(async () => {
    const { data } = await call(client, "order_status", { instance_id: "ORD-1" });
    return (data as { status: string }).status === "waiting";
  });
});

/** A server in this process, with a tool that waits until it is told that nobody does. */
async function serveHere(http: WorkflowServerOptions["http"]) {
  const began = gate();
  const ended = gate();
  const app = await startApp({ workflows: [order] });
  const mcp = await createMcpServer(app, {
    name: "orders",
    version: "1.2.3",
    workflows: [order],
    ...(http && { http }),
    extend(server) {
      server.registerTool("wait", {}, async ({ mcpReq: { signal, ...request } }) => {
        signal.addEventListener("abort", () => ended.open());
        began.open();
        await ended.opened;
        return { content: [{ type: "text", text: String(request.id) }] };
      });
    },
  });
  app.mount("/mcp", mcp.fetch);
  return { app, mcp, began, ended, url: `${await urlOf(app)}/mcp` };
}

it.each([
  ["legacy", { sessions: true }],
  ["modern", {}],
] as const)("notices over HTTP that a client of the era %s does not wait any more", async (era, http) => {
  const { url, began, ended, mcp } = await serveHere(http);
  const client = await connectHttp(url, era);
  const cancel = new AbortController();
  const waiting = client.callTool({ name: "wait", arguments: {} }, { signal: cancel.signal });
  await began.opened;
  cancel.abort("I have changed my mind.");
  await expect(waiting).rejects.toThrow("I have changed my mind.");
  await ended.opened;
  await client.close();
  await mcp.close();
});

it("ends the waiting for an instance at once when nobody waits for the answer", async () => {
  const app = await startApp({ workflows: [order] });
  await order.with({ id: "ORD-1" }).start(app, { orderId: "ORD-1", amount: 5 });
  const cancel = new AbortController();
  const waiting = outcomeOf(app, order, "ORD-1", {
    timeout: 600_000,
    signal: cancel.signal,
    onPause: async () => cancel.abort(new Error("Nobody waits.")),
  });
  await expect(waiting).rejects.toThrow("Nobody waits.");
  expect(await app.handle(order, "ORD-1").status()).not.toBe("cancelled");
});
