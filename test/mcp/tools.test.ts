/** The tools of workflows, by both ways, to clients of both eras of the protocol. */
import { once } from "node:events";
import type { Client } from "@modelcontextprotocol/client";
import { describe, expect, it } from "vitest";
import { startApp } from "../support/apps.ts";
import { until } from "../support/wait.ts";
import {
  type Connection,
  call,
  connectHttp,
  connectStdio,
  type Era,
  startHttp,
  startStdio,
} from "./support/clients.ts";
import { secret, WORKFLOWS } from "./support/orders.ts";

const WAYS: Readonly<Record<string, (era: Era) => Promise<Client>>> = {
  stdio: async (era) => (await connectStdio(era)).client,
  "HTTP without sessions": async (era) => connectHttp((await startHttp()).url, era),
  "HTTP with sessions": async (era) => connectHttp((await startHttp({ sessions: true })).url, era),
};

const connections = {
  stdio: () => connectStdio("legacy"),
  async http(): Promise<Connection> {
    const { url, kill } = await startHttp();
    return { client: await connectHttp(url, "modern"), kill };
  },
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

describe("tools", () => {
  it("are four for each workflow, with the schemas of the workflows", async () => {
    const { client } = await connectStdio("legacy");
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(
      ["order", "steps", "sum", "echo", "refuse", "count.down", "relay", "nameless"].flatMap((prefix) =>
        ["start", "status", "result", "cancel"].map((verb) => `${prefix}_${verb}`),
      ),
    );
    const tool = (name: string) => tools.find((one) => one.name === name);
    expect(tool("order_start")).toMatchObject({
      description:
        "Takes an order. - Starts a new instance of the workflow order and answers at once with its instance_id. The work " +
        "goes on by itself; ask for it with order_status, and for what came of it with order_result.",
      inputSchema: {
        type: "object",
        properties: {
          orderId: { type: "string", description: "The shop's own number." },
          amount: { type: "number", exclusiveMinimum: 0 },
        },
        required: ["orderId", "amount"],
      },
      outputSchema: { required: ["instance_id"] },
      annotations: { readOnlyHint: false, idempotentHint: true },
    });
    expect(tool("sum_start")).toMatchObject({
      description: expect.stringMatching(/^Adds\. - /),
      inputSchema: {
        properties: { a: { type: "number" }, b: { type: "number" } },
        required: ["a"],
        additionalProperties: false,
      },
    });
    expect(tool("steps_start")?.inputSchema.properties).toEqual({
      arguments: {
        type: "array",
        description: "The workflow's arguments, in order.",
        prefixItems: [expect.objectContaining({ type: "integer" })],
      },
    });
    expect(tool("echo_start")?.inputSchema.properties).toEqual({
      arguments: { type: "array", description: "The workflow's arguments, in order." },
    });
    expect(tool("order_status")?.annotations).toMatchObject({ readOnlyHint: true });
    expect(tool("order_cancel")?.annotations).toMatchObject({ destructiveHint: true });
    expect(client.getInstructions()).toBe("A shop.");
  });

  it("give workflows their arguments, by name or as a list", async () => {
    const { client } = await connectStdio("legacy");
    const run = async (prefix: string, given: object): Promise<unknown> => {
      const { data } = await call(client, `${prefix}_start`, given);
      const id = (data as { instance_id: string }).instance_id;
      const result = await call(client, `${prefix}_result`, { instance_id: id, wait_seconds: 50 });
      return (result.data as { output: unknown }).output;
    };
    expect(await run("sum", { a: 1, b: 2 })).toBe(3);
    expect(await run("sum", { a: 1 })).toBe(2);
    expect(await run("echo", { arguments: [1, { two: null }] })).toEqual([1, { two: null }]);
    expect(await run("echo", {})).toEqual([]);
    // A workflow that goes on as other instances has the end of the last one.
    expect(await run("count.down", { arguments: [{ from: 2 }] })).toBe(0);
  });

  it("refuse what the schemas refuse, and say what is wrong", async () => {
    const { client } = await connectStdio("legacy");
    const refused: readonly [string, object, RegExp][] = [
      ["order_start", { orderId: "ORD-1", amount: -1 }, /^Argument 1 of order is not valid: .*>0/],
      ["order_start", {}, /^Argument 1 of order is not valid: /],
      ["sum_start", { a: "one" }, /^Argument 1 of workflow add is not valid: /],
      ["sum_start", { a: 1, c: 2 }, /^There is no argument c\. The tool takes a, b\.$/],
      ["steps_start", { arguments: 3 }, /^`arguments` is no list\./],
      ["steps_start", { count: 3 }, /^There is no argument count\. The tool takes arguments\.$/],
      ["order_status", {}, /instance_id/],
      ["order_status", { instance_id: 7 }, /instance_id/],
      ["order_result", { instance_id: "x", wait_seconds: 51 }, /wait_seconds/],
      ["order_result", { instance_id: "x", wait_seconds: -1 }, /wait_seconds/],
    ];
    for (const [name, given, text] of refused) {
      const answer = await call(client, name, given);
      expect(answer, name).toMatchObject({ isError: true, text: expect.stringMatching(text) });
    }
    const shop = await startApp({ worker: false });
    expect((await shop.listInstances()).instances).toEqual([]);
  });

  it("start one instance for the same call, and refuse another one by its id", async () => {
    const { client } = await connectStdio("legacy");
    const given = { orderId: "ORD-1", amount: 5 };
    const twice = [await call(client, "order_start", given), await call(client, "order_start", given)];
    expect(twice.map(({ data }) => data)).toEqual([{ instance_id: "ORD-1" }, { instance_id: "ORD-1" }]);
    const other = await call(client, "order_start", { ...given, amount: 6 });
    expect(other).toMatchObject({ isError: true, text: expect.stringContaining("ORD-1") });
    const shop = await startApp({ worker: false });
    expect((await shop.listInstances()).instances).toHaveLength(1);
  });

  it("know no instances but their own workflow's", async () => {
    const { client } = await connectStdio("legacy");
    const shop = await startApp({ worker: false, workflows: WORKFLOWS });
    const hidden = await secret.start(shop);
    for (const id of ["none", hidden.id]) {
      for (const verb of ["status", "result"]) {
        const answer = await call(client, `order_${verb}`, { instance_id: id });
        expect(answer).toEqual({
          isError: true,
          text: `There is no instance ${id} in this database. Check the id and the database.`,
          data: undefined,
        });
      }
      const cancelled = await call(client, "order_cancel", { instance_id: id });
      expect(cancelled).toMatchObject({ isError: false, data: { success: false } });
    }
    expect(await hidden.result()).toBe("hidden");
  });

  it("cancel, which undoes what was done, and once only", async () => {
    const { client } = await connectStdio("legacy");
    await call(client, "order_start", { orderId: "ORD-1", amount: 5 });
    const cancelled = await call(client, "order_cancel", { instance_id: "ORD-1", reason: "A mistake" });
    expect(cancelled).toMatchObject({ isError: false, data: { success: true } });
    const result = await call(client, "order_result", { instance_id: "ORD-1", wait_seconds: 50 });
    expect(result).toMatchObject({
      isError: true,
      text: "Instance ORD-1 was cancelled: A mistake.\nIt does not go on by itself: start another instance where that helps.",
      data: { status: "cancelled", error: { name: "CancelledError" } },
    });
    const shop = await startApp({ worker: false });
    expect(await shop.getInstance("ORD-1")).toMatchObject({ status: "cancelled", cancelReason: "A mistake" });

    await call(client, "refuse_start", {});
    const [failed] = (await shop.listInstances({ workflow: "refuse" })).instances;
    const end = await call(client, "refuse_result", { instance_id: failed?.id, wait_seconds: 50 });
    expect(end).toMatchObject({
      isError: true,
      text:
        `Instance ${failed?.id} has failed: The card was refused.\n` +
        "It does not go on by itself: start another instance where that helps.",
      data: { status: "failed", error: { name: "Error", message: "The card was refused." } },
    });
    const late = await call(client, "refuse_cancel", { instance_id: failed?.id });
    expect(late).toMatchObject({
      isError: false,
      data: { success: false, message: expect.stringContaining("failed") },
    });
  });

  it.each(["stdio", "http"] as const)(
    "give a result after the server was killed, from the next one, by %s",
    async (way) => {
      const first = await connections[way]();
      await call(first.client, "order_start", { orderId: "ORD-1", amount: 5 });
      await first.kill();
      const { client } = await connections[way]();
      const shop = await startApp({ worker: false });
      await shop.sendEvent({ type: "paid", source: "/psp", subject: "ORD-1" });
      const result = await call(client, "order_result", { instance_id: "ORD-1", wait_seconds: 50 });
      expect(result).toMatchObject({
        isError: false,
        data: { status: "completed", output: { reservation: "RES-ORD-1" } },
      });
    },
  );

  it("follow an instance that went on as another one", async () => {
    const { client } = await connectStdio("legacy");
    const { data } = await call(client, "relay_start", { arguments: [false] });
    const { instance_id } = data as { instance_id: string };
    const shop = await startApp({ worker: false });
    await until(async () => (await shop.getInstance(instance_id)).status === "recurred");
    const status = await call(client, "relay_status", { instance_id });
    expect(status).toMatchObject({ data: { status: "recurred" }, text: expect.stringContaining("Ask relay_result") });
    const early = await call(client, "relay_result", { instance_id });
    expect(early).toMatchObject({ isError: true, text: expect.stringContaining("it is going on as another instance") });
    await shop.sendEvent({ type: "go", source: "/test" });
    const result = await call(client, "relay_result", { instance_id, wait_seconds: 50 });
    expect(result).toMatchObject({ isError: false, data: { status: "completed", output: "done" } });
  });

  it("keep to themselves what is nothing for models", async () => {
    const { client } = await connectStdio("legacy");
    expect(await call(client, "nameless_start", {})).toEqual({
      isError: true,
      text: "The request could not be handled. Try again in a minute; the server's log says why it failed.",
      data: undefined,
    });
  });

  it("end with the client that has started their server", async () => {
    const { child } = startStdio();
    child.stdin.end();
    expect(await once(child, "exit")).toEqual([0, null]);
  });

  it("stand beside prompts", async () => {
    const { client } = await connectStdio("modern");
    expect((await client.listPrompts()).prompts).toMatchObject([
      { name: "reorder", description: "Orders the same again.", arguments: [{ name: "orderId", required: true }] },
    ]);
    const { messages } = await client.getPrompt({ name: "reorder", arguments: { orderId: "ORD-1" } });
    expect(messages).toEqual([
      { role: "user", content: { type: "text", text: "Order again what was in order ORD-1." } },
    ]);
    await expect(client.getPrompt({ name: "reorder", arguments: {} })).rejects.toThrow("orderId");
  });
});
