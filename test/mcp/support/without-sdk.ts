/** A server of workflows where the SDK is not installed. */
import { registerHooks } from "node:module";
import { Romancy } from "../../../src/index.ts";
import { createMcpServer } from "../../../src/mcp/index.ts";

registerHooks({
  resolve(specifier, context, next) {
    if (specifier.startsWith("@modelcontextprotocol/")) throw new Error(`Cannot find package '${specifier}'`);
    return next(specifier, context);
  },
});

const app = new Romancy({ database: ":memory:" });
await createMcpServer(app, { name: "test", version: "0.0.0", workflows: [] }).catch((error) =>
  console.log(String(error)),
);
