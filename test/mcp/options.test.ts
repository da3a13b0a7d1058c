/** What a server of workflows cannot be told. */
import { expect, it } from "vitest";
import { ValidationError } from "../../src/index.ts";
import { createMcpServer, workflowTools } from "../../src/mcp/index.ts";
import { createApp } from "../support/apps.ts";
import { steps } from "./support/orders.ts";

const RIGHT = { name: "orders", version: "1.0.0", workflows: [steps] };

it.each([
  [undefined, "The options of createMcpServer must be an object."],
  [
    { ...RIGHT, prompt: [] },
    'The options of createMcpServer have no "prompt". They can have: name, version, workflows, ',
  ],
  [{ ...RIGHT, http: { verifytoken: () => true } }, `The options of the MCP server's http have no "verifytoken".`],
  [{ ...RIGHT, http: [] }, "The options of the MCP server's http must be an object."],
  [{ ...RIGHT, http: { sessions: { maximum: 1 } } }, 'The options of sessions have no "maximum". They can have: max, '],
])("options that are not known are refused: %j", async (options, message) => {
  const creating = createMcpServer(createApp(), options as never);
  await expect(creating).rejects.toThrow(ValidationError);
  await expect(creating).rejects.toThrow(message);
});

it("what is known may be undefined", async () => {
  const options = { ...RIGHT, prompts: undefined, http: { verifyToken: undefined, sessions: { max: undefined } } };
  await (await createMcpServer(createApp(), options as never)).close();
});

it("tools of a workflow are told nothing that is not known", () => {
  expect(() => workflowTools(steps, { prefixes: "x" } as never)).toThrow(ValidationError);
  expect(() => workflowTools(steps, { prefixes: "x" } as never)).toThrow(
    "The options of the tools of workflow steps have",
  );
});
