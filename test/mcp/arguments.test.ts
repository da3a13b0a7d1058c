/** How schemas are shown, and what cannot be offered. */
import { expect, it } from "vitest";
import { z } from "zod";
import { defineWorkflow, Romancy } from "../../src/index.ts";
import { toolInput } from "../../src/mcp/arguments.ts";
import { createMcpServer, type WorkflowServerOptions, workflowTools } from "../../src/mcp/index.ts";
import { toJson } from "../../src/mcp/json.ts";

const app = new Romancy({ database: ":memory:" });

function offer(...workflows: WorkflowServerOptions["workflows"]): Promise<unknown> {
  return createMcpServer(app, { name: "test", version: "0.0.0", workflows });
}

it("keeps references of schemas within schemas to themselves", () => {
  const tree = z.object({
    get children() {
      return z.array(tree);
    },
  });
  const walk = defineWorkflow("walk", (_ctx, a: unknown, b: unknown) => [a, b], { input: [tree, z.string()] });
  const { schema } = toolInput(walk, { parameters: ["tree", "name"] });
  expect(schema["properties"]).toMatchObject({
    tree: { $id: "urn:romancy:tree", properties: { children: { items: { $ref: "#" } } } },
    name: { type: "string" },
  });
});

it("shows the schema that it is given, and takes the whole object for it", () => {
  const plain = defineWorkflow("plain", (_ctx, given: unknown) => given);
  const inputSchema = { type: "object", properties: { at: { type: "string", format: "date" } } };
  const { schema, read } = toolInput(plain, { inputSchema });
  expect(schema).toBe(inputSchema);
  expect(read({ at: "2026-01-01" })).toEqual([{ at: "2026-01-01" }]);
});

it("refuses what cannot be shown or called so, and says what to do", async () => {
  const named = (name: string) => defineWorkflow(name, () => null);
  const dated = defineWorkflow("dated", (_ctx, day: { at: Date }) => day.at, { input: z.object({ at: z.date() }) });
  await expect(offer(dated)).rejects.toThrow(
    /^Argument 1 of dated cannot be shown as JSON Schema: .*Take types that JSON has, .* or give the tool an `inputSchema`\.$/,
  );
  const opaque = { "~standard": { version: 1 as const, vendor: "mine", validate: (value: unknown) => ({ value }) } };
  const mine = defineWorkflow("mine", (_ctx, given: unknown) => given, { input: opaque });
  await expect(offer(mine)).rejects.toThrow("mine gives it no `~standard.jsonSchema`");
  await offer(workflowTools(mine, { inputSchema: { type: "object" } }));
  await expect(offer(workflowTools(mine, { inputSchema: { type: "array" } }))).rejects.toThrow('say `type: "object"`');
  await expect(offer(workflowTools(mine, { parameters: [] }))).rejects.toThrow(
    "The `parameters` of workflow mine are fewer than its schemas: 0 of 1. Name each argument.",
  );
  await expect(offer(named("two words"))).rejects.toThrow("Give workflow two words a `prefix`");
  await offer(workflowTools(named("two words"), { prefix: "two_words" }));
  await expect(offer(named("a"), workflowTools(named("b"), { prefix: "a" }))).rejects.toMatchObject({
    code: "DUPLICATE_NAME",
    message: expect.stringContaining("the workflows a and b begin both with a"),
  });
  await expect(
    createMcpServer(app, { name: "test", version: "0.0.0", workflows: [], maxWait: "soon" as never }),
  ).rejects.toThrow("The maxWait of the MCP server is not a duration");
});

it("shows values that JSON has not as well as it can", () => {
  const value = {
    at: new Date(0),
    big: 12n,
    map: new Map([["a", 1]]),
    set: new Set([1]),
    bytes: new Uint8Array([1, 2]),
    error: new TypeError("wrong"),
    none: undefined,
    not: Number.NaN,
  };
  expect(toJson(value)).toEqual({
    at: "1970-01-01T00:00:00.000Z",
    big: "12",
    map: [["a", 1]],
    set: [1],
    bytes: "AQI=",
    error: { name: "TypeError", message: "wrong" },
    not: null,
  });
  expect(toJson(undefined)).toBe(null);
});
