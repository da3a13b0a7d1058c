/** Serves by HTTP, says where, and goes with its standard input. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { McpHttpOptions } from "../../../src/mcp/index.ts";
import { startServer } from "./orders.ts";

const VERIFIERS: Readonly<Record<string, McpHttpOptions["verifyToken"]>> = {
  good: (token) => token === "good",
  owner: (token) => ({ clientId: token, scopes: token === "reader" ? ["read"] : ["read", "write"] }),
  expired: () => ({ clientId: "somebody", expiresAt: 1 }),
  throws: () => {
    throw new Error("The authority is away.");
  },
  rejects: () => Promise.reject(new Error("The authority is away.")),
  nothing: () => undefined,
  truthy: () => "yes" as never,
};

const { verifier, ...options } = JSON.parse(process.env["HTTP"] ?? "{}") as McpHttpOptions & { verifier?: string };
const verifyToken = verifier === undefined ? undefined : VERIFIERS[verifier];
const { app, mcp } = await startServer({ ...options, ...(verifyToken && { verifyToken }) });
app.mount("/mcp", mcp.fetch);
const server = await app.listen(0);
console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`);
process.stdin.resume();
await once(process.stdin, "end");
await mcp.close();
await app.shutdown();
