/** An HTTP server that takes events, as a broker does; closed after the test. */
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** A request that has come in. */
export interface Taken {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A status, headers with it, or what is done with the answer: nothing, for one that hangs. */
export type Answer =
  | number
  | { readonly status: number; readonly headers: Record<string, string>; readonly body?: string }
  | ((response: ServerResponse) => void);

export interface Sink {
  readonly url: string;
  /** All that came in, in order. */
  readonly taken: readonly Taken[];
  /** The ids of the events among them. */
  ids(): string[];
}

/** @param answer gives the answer to each, 204 unless told otherwise; counted from 1 */
export async function openSink(
  answer: (taken: Taken, n: number) => Answer | Promise<Answer> = () => 204,
): Promise<Sink> {
  const taken: Taken[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { method = "", url = "", headers } = request;
      const one: Taken = { method, url, headers, body: Buffer.concat(chunks) };
      const n = taken.push(one);
      void Promise.resolve(answer(one, n)).then((given) => reply(response, given));
    });
    request.on("error", () => {});
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/events`,
    taken,
    ids: () => taken.map(({ headers }) => String(headers["ce-id"])),
  };
}

function reply(response: ServerResponse, answer: Answer): void {
  if (typeof answer === "function") {
    answer(response);
    return;
  }
  if (typeof answer === "number") response.writeHead(answer).end();
  else response.writeHead(answer.status, answer.headers).end(answer.body);
}
