/** The transport of clients that start the server as their own process. */
import type { McpServerFactory } from "@modelcontextprotocol/server";
import type { Logger } from "../index.ts";
import { afterClose, loadStdioSdk } from "./sdk.ts";

export interface StdioConnection {
  /** Resolves when the client has ended the connection, or `close` has. */
  readonly closed: Promise<void>;
  close(): Promise<void>;
}

export async function serveStdio(factory: McpServerFactory, logger: Logger): Promise<StdioConnection> {
  const sdk = await loadStdioSdk();
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const transport = new sdk.StdioServerTransport();
  const connection = sdk.serveStdio(factory, {
    transport,
    onerror: (error) => logger.error("The connection with the client has failed.", { error: error.message }),
  });
  afterClose(transport, resolve);
  return { closed, close: () => connection.close() };
}
