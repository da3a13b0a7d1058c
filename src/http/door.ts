/** What the app has of HTTP. */
import type { Server } from "node:http";
import { ValidationError } from "../core/errors.ts";
import type { Logger } from "../workflow/logger.ts";
import { createHandler, isNamedRoute } from "./handler.ts";
import { type MountHandler, Mounts } from "./mounts.ts";
import type { Fetch, HttpApp, HttpSettings } from "./port.ts";
import { loadSdk } from "./sdk.ts";
import type { ListenOptions } from "./server.ts";

export class HttpDoor {
  readonly fetch: Fetch;
  readonly #mounts = new Mounts();
  /** Those that listen, or are about to, each with what ends it. */
  readonly #servers = new Set<Promise<(patience: number) => Promise<void>>>();

  constructor({ http, logger }: { readonly http: HttpSettings; readonly logger: Logger }, app: HttpApp) {
    this.fetch = createHandler({ ...http, app, log: logger }, this.#mounts);
  }

  /** @throws ValidationError */
  mount(path: string, handler: MountHandler): void {
    if (isNamedRoute(path)) {
      throw new ValidationError(
        `Nothing can be mounted at ${path}, which is a route of Romancy's own. Take another path.`,
      );
    }
    this.#mounts.add(path, handler);
  }

  /** @throws MissingPackageError, ValidationError, or the system's error when the port cannot be had */
  async listen(port: number, options: ListenOptions = {}): Promise<Server> {
    // At once, rather than with the first event.
    await loadSdk();
    // Only who listens needs Node's server.
    const { startServer, stopServer } = await import("./server.ts");
    const starting = startServer(this.fetch, port, options);
    const stopping = starting.then((server) => (patience: number) => stopServer(server, patience));
    this.#servers.add(stopping);
    stopping.catch(() => this.#servers.delete(stopping));
    const server = await starting;
    server.once("close", () => this.#servers.delete(stopping));
    return server;
  }

  /** @param patience milliseconds that requests have to be answered */
  async close(patience: number): Promise<void> {
    const servers = [...this.#servers];
    await Promise.all(servers.map((stopping) => stopping.then((stop) => stop(patience)).catch(() => {})));
  }
}
