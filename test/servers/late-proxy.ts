/** A way to the server on which a message is late: its sender is cut off, and the server gets it when the test lets it. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A message that was caught; its sender has lost the connection, the server has not. */
interface LateMessage {
  /** The server gets it; then that connection ends. Resolves when the server has answered. */
  deliver(): Promise<void>;
  /** The server never gets it, and learns that its sender is gone. */
  lose(): void;
}

/** Whether it is the one, from what it says and what its connection has said before. */
type Match = (message: string, before: string) => boolean;

export class LateProxy {
  readonly #server = createServer((app) => this.#serve(app));
  readonly #apps = new Set<Socket>();
  readonly #databases = new Set<Socket>();
  readonly #target: URL;
  #catch: { match: Match; caught: (message: LateMessage) => void } | undefined;
  #isCut = false;
  /** Messages to the server so far. */
  messages = 0;

  private constructor(url: string) {
    this.#target = new URL(url);
  }

  static async open(url: string): Promise<LateProxy> {
    const proxy = new LateProxy(url);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  /** The URL by way of the proxy. */
  get url(): string {
    const through = new URL(this.#target);
    through.hostname = "127.0.0.1";
    through.port = String((this.#server.address() as AddressInfo).port);
    return through.href;
  }

  /** Catches the next message that matches. */
  catch(match: Match): Promise<LateMessage> {
    return new Promise((caught) => {
      this.#catch = { match, caught };
    });
  }

  /** Catches nothing any more: else it would be something of the app's shutdown, which then waits for what it locks. */
  callOff(): void {
    this.#catch = undefined;
  }

  /** Lets no app through any more; what was caught can be delivered still. */
  cut(): void {
    this.#isCut = true;
    this.callOff();
    for (const app of this.#apps) app.destroy();
  }

  async close(): Promise<void> {
    this.#server.close();
    this.cut();
    for (const database of this.#databases) database.destroy();
    await once(this.#server, "close");
  }

  #serve(app: Socket): void {
    if (this.#isCut) {
      app.destroy();
      return;
    }
    const database = connect(Number(this.#target.port), this.#target.hostname);
    let isCaught = false;
    let before = "";
    this.#apps.add(app);
    this.#databases.add(database);
    app.on("data", (chunk) => {
      this.messages++;
      const message = chunk.toString();
      const waiting = this.#catch;
      if (isCaught || !waiting?.match(message, before)) {
        before += message;
        database.write(chunk);
        return;
      }
      isCaught = true;
      this.#catch = undefined;
      waiting.caught({ deliver: () => deliver(database, chunk), lose: () => database.destroy() });
      app.destroy();
    });
    database.on("data", (chunk) => app.write(chunk));
    for (const socket of [app, database]) socket.on("error", () => {});
    database.on("close", () => {
      this.#databases.delete(database);
      app.destroy();
    });
    app.on("close", () => {
      this.#apps.delete(app);
      if (!isCaught) database.destroy();
    });
  }
}

async function deliver(database: Socket, chunk: Buffer): Promise<void> {
  const ended = once(database, "close");
  database.once("data", () => database.end());
  database.write(chunk);
  await ended;
}
