/** A server of its own. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { ValidationError } from "../core/errors.ts";
import { checkOptions, type KnownKeys } from "../core/known-keys.ts";
import { toNodeListener } from "./node-listener.ts";
import type { Fetch } from "./port.ts";

/** Where `app.listen` listens. */
export interface ListenOptions {
  /** The address; `"0.0.0.0"` or `"::"` for all. Default `"127.0.0.1"`: this machine alone. */
  readonly host?: string;
}

const KNOWN: KnownKeys<ListenOptions> = { host: true };

/** @throws ValidationError, or the system's error when the port cannot be had */
export async function startServer(fetch: Fetch, port: number, options: ListenOptions): Promise<Server> {
  checkOptions("listen", options, KNOWN);
  const { host = "127.0.0.1" } = options;
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new ValidationError(`The port ${String(port)} must be a whole number from 0 to 65,535.`);
  }
  const server = createServer(
    toNodeListener(async (request) => {
      const response = await fetch(request);
      if (!server.listening) response.headers.set("connection", "close");
      return response;
    }),
  );
  server.listen(port, host);
  await once(server, "listening");
  return server;
}

/**
 * Takes no more requests, and answers those that are there.
 *
 * @param patience milliseconds; the connections that are left then are cut
 */
export async function stopServer(server: Server, patience: number): Promise<void> {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  const timer = setTimeout(() => server.closeAllConnections(), patience);
  await closed;
  clearTimeout(timer);
}
