/** A server that speaks as the three providers do, and says what the test says. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogle } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import type { AppDefaults } from "../../../src/llm/index.ts";
import { type Provider, type Said, wires } from "./wires.ts";

/** What is answered: something said, an HTTP error, or nothing at all for ever. */
export type Reply =
  | Said
  | { readonly status: number; readonly headers?: Record<string, string>; readonly message?: string }
  | "hang"
  | "cut off"
  /** The beginning of a stream, and then nothing, or the end of the connection. */
  | { readonly beginning: Said; readonly end: "hang" | "cut off" };

export interface Asked {
  readonly provider: Provider;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  // biome-ignore lint/suspicious/noExplicitAny: whatever the provider's package has sent
  readonly body: any;
}

export class ProviderServer implements AsyncDisposable {
  readonly asked: Asked[] = [];
  /** Resolves when the other side has hung up on an answer that hangs. */
  readonly hungUp: Promise<void>;
  readonly #server: Server;

  private constructor(answer: (asked: Asked, call: number) => Reply) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.hungUp = promise;
    this.#server = createServer((request, response) => {
      void readBody(request).then((body) => {
        const [, provider = "", ...rest] = (request.url ?? "").split("/");
        const asked = { provider: provider as Provider, path: rest.join("/"), headers: request.headers, body };
        this.asked.push(asked);
        response.on("close", resolve);
        reply(response, asked, answer(asked, this.asked.length));
      });
    });
  }

  static async start(answer: (asked: Asked, call: number) => Reply): Promise<ProviderServer> {
    const server = new ProviderServer(answer);
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The real packages, sent here. */
  get providers(): NonNullable<AppDefaults["providers"]> {
    return {
      anthropic: createAnthropic({ baseURL: `${this.url}/anthropic`, apiKey: "test" }),
      openai: createOpenAI({ baseURL: `${this.url}/openai`, apiKey: "test" }),
      google: createGoogle({ baseURL: `${this.url}/google`, apiKey: "test" }),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return JSON.parse(text || "{}");
}

function reply(response: ServerResponse, { provider, path, body }: Asked, answer: Reply): void {
  const wire = wires[provider];
  if (answer === "hang") return;
  if (answer === "cut off") {
    response.destroy();
    return;
  }
  if ("beginning" in answer) {
    response.writeHead(200, { "content-type": "text/event-stream" });
    writeEvents(response, wire.events(answer.beginning).slice(0, -1));
    if (answer.end === "cut off") setImmediate(() => response.destroy());
  } else if ("status" in answer) {
    response.writeHead(answer.status, { "content-type": "application/json", ...answer.headers });
    response.end(JSON.stringify(wire.error(answer.message ?? "the provider is unwell")));
  } else if (wire.isStream(path, body as { stream?: boolean })) {
    response.writeHead(200, { "content-type": "text/event-stream" });
    writeEvents(response, wire.events(answer));
    response.end();
  } else {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify(wire.whole(answer)));
  }
}

function writeEvents(response: ServerResponse, events: ReturnType<(typeof wires)[Provider]["events"]>): void {
  for (const { event, data } of events) {
    response.write(`${event === undefined ? "" : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`);
  }
}
