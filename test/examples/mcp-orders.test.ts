import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { expect, it } from "vitest";

it("runs as it is, for a client that starts it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "romancy-mcp-"));
  const example = fileURLToPath(new URL("../../examples/mcp-orders.ts", import.meta.url));
  const args = ["--disable-warning=ExperimentalWarning", "--conditions=romancy-source", example];
  const client = new Client({ name: "test", version: "0.0.0" });
  await client.connect(new StdioClientTransport({ command: process.execPath, args, cwd: folder }));
  const call = async (name: string, given: Record<string, unknown>): Promise<unknown> => {
    const { structuredContent, content } = await client.callTool({ name, arguments: given });
    return structuredContent ?? content;
  };
  const { tools } = await client.listTools();
  expect(tools.map(({ name }) => name)).toEqual([
    "order_start",
    "order_status",
    "order_result",
    "order_cancel",
    "order_approve",
  ]);
  const given = { orderId: "ORD-1", item: "kettle", amount: 250 };
  expect(await call("order_start", given)).toEqual({ instance_id: "ORD-1" });
  expect(await call("order_approve", { orderId: "ORD-1" })).toMatchObject([{ text: "Order ORD-1 is approved." }]);
  expect(await call("order_result", { instance_id: "ORD-1", wait_seconds: 20 })).toEqual({
    instance_id: "ORD-1",
    status: "completed",
    output: { orderId: "ORD-1", reservation: "RES-kettle", payment: "PAY-ORD-1" },
  });
  await client.close();
  rmSync(folder, { recursive: true });
});
