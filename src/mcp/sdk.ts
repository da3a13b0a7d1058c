/** The official SDK, which only those need who serve workflows as tools. */
import type { CallToolResult, ServerContext } from "@modelcontextprotocol/server";
import { MissingPackageError } from "../index.ts";

export type Sdk = typeof import("@modelcontextprotocol/server");
export type StdioSdk = typeof import("@modelcontextprotocol/server/stdio");

/** What a tool answers, with the result for models, and for programs. */
export type ToolResult = CallToolResult;

/** What a tool is told of the request. */
export type ToolContext = ServerContext;

/** @throws MissingPackageError */
export function loadSdk(): Promise<Sdk> {
  return load(() => import("@modelcontextprotocol/server"));
}

/** @throws MissingPackageError */
export function loadStdioSdk(): Promise<StdioSdk> {
  return load(() => import("@modelcontextprotocol/server/stdio"));
}

/** Has something done when a connection has ended, after what the SDK does then. */
export function afterClose(transport: { onclose?: () => void }, then: () => void): void {
  const { onclose } = transport;
  Object.assign(transport, {
    onclose() {
      onclose?.();
      then();
    },
  });
}

async function load<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    throw new MissingPackageError("MCP servers need", "@modelcontextprotocol/server", { cause });
  }
}
