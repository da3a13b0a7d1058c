/** A way to the server that breaks where it is told to. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface CuttingProxy {
  /** The URL by way of the proxy. */
  readonly url: string;
  /**
   * Cuts the connection of the nth message from here on that goes to the server: before the server gets it, or when its
   * answer is back and the app has not got it. Resolves with whether it came to that, once `disarm` is called.
   */
  arm(n: number, where: "request" | "answer"): void;
  /** Whether the cut was made. */
  disarm(): boolean;
  close(): Promise<void>;
}

export async function cuttingProxy(url: string): Promise<CuttingProxy> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  let left = Number.POSITIVE_INFINITY;
  let where: "request" | "answer" = "request";
  let isCut = false;

  const server = createServer((app) => {
    const database = connect(Number(target.port), target.hostname);
    let cutsAnswer = false;
    const cut = (): void => {
      isCut = true;
      app.destroy();
      database.destroy();
    };
    app.on("data", (chunk) => {
      left--;
      if (left === 0 && where === "request") cut();
      else {
        cutsAnswer ||= left === 0;
        database.write(chunk);
      }
    });
    database.on("data", (chunk) => {
      if (cutsAnswer) cut();
      else app.write(chunk);
    });
    for (const [socket, other] of [
      [app, database],
      [database, app],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const through = new URL(url);
  through.hostname = "127.0.0.1";
  through.port = String((server.address() as AddressInfo).port);
  return {
    url: through.href,
    arm(n, at) {
      left = n;
      where = at;
      isCut = false;
    },
    disarm() {
      left = Number.POSITIVE_INFINITY;
      return isCut;
    },
    async close() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, "close");
    },
  };
}
