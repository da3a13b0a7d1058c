/** Workflows as tasks, asked for by the extension's own client. */
import {
  createTaskSessionFromClient,
  type JsonRpcResponse,
  type RawClientDispatch,
  resultFromTaskOutcome,
} from "@modelcontextprotocol/ext-tasks/client";
import { CreateTaskResultV2Schema, GetTaskResultV2Schema } from "@modelcontextprotocol/ext-tasks/core/v2";
import { expect, it } from "vitest";
import { startApp } from "../support/apps.ts";
import { until } from "../support/wait.ts";
import { connectHttp, startHttp } from "./support/clients.ts";

const VERSION = "2026-07-28";
const EXTENSION = "io.modelcontextprotocol/tasks";
const FRAMING = {
  protocolVersion: VERSION,
  clientInfo: { name: "test", version: "0.0.0" },
  clientCapabilities: { extensions: { [EXTENSION]: {} } },
};

/** The SDK's client does not let tasks through; this is what its makers leave to its users. */
function dispatcher(url: string): RawClientDispatch {
  return async (request) => {
    const { method, params } = request as { method: string; params: { name?: string; taskId?: string } };
    const name = params.taskId ?? params.name;
    const response = await fetch(url, {
      method: "POST",
      headers: {
        accept: "application/json, text/event-stream",
        "content-type": "application/json",
        "mcp-protocol-version": VERSION,
        "mcp-method": method,
        ...(name !== undefined && { "mcp-name": name }),
      },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, ...(request as object) }),
    });
    const { result, error } = (await response.json()) as { result: never; error: never };
    return error === undefined ? { kind: "result", result } : { kind: "error", error };
  };
}

function asker(url: string, capabilities: object = FRAMING.clientCapabilities) {
  const dispatch = dispatcher(url);
  return (method: string, params: object): Promise<JsonRpcResponse> =>
    dispatch({
      method,
      params: {
        ...params,
        _meta: {
          "io.modelcontextprotocol/protocolVersion": VERSION,
          "io.modelcontextprotocol/clientInfo": FRAMING.clientInfo,
          "io.modelcontextprotocol/clientCapabilities": capabilities,
        },
      },
    } as never);
}

it("runs a workflow as a task, for a client that knows nothing but tasks", async () => {
  const { url } = await startHttp();
  const client = await connectHttp(url, "modern");
  expect(client.getServerCapabilities()?.extensions).toHaveProperty([EXTENSION]);
  const session = createTaskSessionFromClient(client, {
    endpointId: "orders",
    rawDispatch: dispatcher(url),
    v2RequestFraming: FRAMING,
  });
  const execution = await session.callTool("sum_start", { a: 3, b: 4 });
  const { outcome } = await execution.settle();
  expect(resultFromTaskOutcome(outcome)).toMatchObject({
    content: [{ type: "text", text: "7" }],
    structuredContent: { status: "completed", output: 7 },
  });
  await session.close();
});

it("tells of tasks as the specification has it", async () => {
  const { url } = await startHttp();
  const ask = asker(url);
  const result = async (method: string, params: object): Promise<unknown> => {
    const answer = await ask(method, params);
    if (answer.kind === "error") throw new Error(JSON.stringify(answer.error));
    return answer.result;
  };
  const start = { name: "order_start", arguments: { orderId: "ORD-1", amount: 5 } };
  const created = CreateTaskResultV2Schema.parse(await result("tools/call", start));
  expect(created).toMatchObject({ taskId: "ORD-1", status: "working", ttlMs: null, pollIntervalMs: 5_000 });

  const look = async (taskId: string): Promise<Record<string, unknown>> =>
    GetTaskResultV2Schema.parse(await result("tasks/get", { taskId }));
  await until(async () => String((await look("ORD-1"))["statusMessage"]).startsWith("waiting for the event paid"));
  expect(await look("ORD-1")).toMatchObject({ taskId: "ORD-1", status: "working", pollIntervalMs: 10_000 });
  expect(await result("tasks/update", { taskId: "ORD-1", inputResponses: {} })).toMatchObject({
    resultType: "complete",
  });

  const shop = await startApp({ worker: false });
  await shop.sendEvent({ type: "paid", source: "/psp", subject: "ORD-1" });
  await until(async () => (await look("ORD-1"))["status"] === "completed");
  expect(await look("ORD-1")).toMatchObject({
    result: { structuredContent: { instance_id: "ORD-1", output: { reservation: "RES-ORD-1" } } },
  });
  // It has ended, and stays as it is.
  await result("tasks/cancel", { taskId: "ORD-1" });
  expect(await look("ORD-1")).toMatchObject({ status: "completed" });

  await result("tools/call", { name: "order_start", arguments: { orderId: "ORD-2", amount: 5 } });
  await result("tasks/cancel", { taskId: "ORD-2" });
  await until(async () => (await look("ORD-2"))["status"] === "cancelled");

  // A workflow's failure is that of a tool, not of the protocol.
  const { taskId } = CreateTaskResultV2Schema.parse(
    await result("tools/call", { name: "refuse_start", arguments: {} }),
  );
  await until(async () => (await look(taskId))["status"] === "completed");
  expect(await look(taskId)).toMatchObject({ result: { isError: true } });
});

it("knows no tasks of others, and tells nobody who has not asked for tasks", async () => {
  const { url } = await startHttp();
  const ask = asker(url);
  const methods = ["tasks/get", "tasks/update", "tasks/cancel"];
  for (const method of methods) {
    const answer = await ask(method, { taskId: "none", inputResponses: {} });
    expect(answer).toMatchObject({ error: { code: -32_602, message: "There is no task none. Check its id." } });
    const unasked = await asker(url, {})(method, { taskId: "none", inputResponses: {} });
    expect(unasked).toMatchObject({ error: { code: -32_021 } });
  }
  const plain = await asker(url, {})("tools/call", { name: "sum_start", arguments: { a: 1 } });
  expect(plain).toMatchObject({
    result: { resultType: "complete", structuredContent: { instance_id: expect.any(String) } },
  });
});
