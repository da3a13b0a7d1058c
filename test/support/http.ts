/** Senders of events over HTTP. */
import { type Agent, type IncomingHttpHeaders, request } from "node:http";
import type { AddressInfo } from "node:net";
import type { Romancy } from "../../src/index.ts";

/** An event in the JSON format. */
export const event: Readonly<Record<string, unknown>> = { specversion: "1.0", id: "e-1", source: "/psp", type: "paid" };

export const STRUCTURED = "application/cloudevents+json";
export const BATCH = "application/cloudevents-batch+json";

type Body = NonNullable<RequestInit["body"]>;

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** Has the app listen on a free port, until it is shut down. */
export async function urlOf(app: Romancy): Promise<string> {
  const server = await app.listen(0);
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A POST of that content type; of a value, its JSON. */
export function post(body: unknown, type: string = STRUCTURED, headers: Record<string, string> = {}): Request {
  const content = typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
  return new Request("http://localhost/", {
    method: "POST",
    headers: { "content-type": type, ...headers },
    body: content as Body,
  });
}

/** The same in binary mode. */
export function postBinary(headers: Record<string, string>, body?: Body): Request {
  const required = { "ce-specversion": "1.0", "ce-id": "e-1", "ce-source": "/psp", "ce-type": "paid" };
  return new Request("http://localhost/", {
    method: "POST",
    headers: { ...required, ...headers },
    ...(body !== undefined && { body }),
  });
}

/** The status and what the JSON says. */
export async function answerTo(response: Response | Promise<Response>): Promise<Answer> {
  const answer = await response;
  return { status: answer.status, body: await answer.json() };
}

export interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Several pieces are sent without telling their length. */
  readonly body?: string | Uint8Array | readonly string[];
  readonly agent?: Agent;
}

export interface Heard {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Sends a request, on a connection of its own unless an agent is given. Unlike `fetch` it leaves no timers behind. */
export function sendTo(url: string, { method = "POST", headers = {}, body, agent }: Sent = {}): Promise<Heard> {
  return new Promise((resolve, reject) => {
    const sender = request(url, { method, headers, agent: agent ?? false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(chunks).toString(),
        });
      });
      response.on("error", reject);
    });
    sender.on("error", reject);
    if (Array.isArray(body)) {
      sender.flushHeaders();
      for (const piece of body as readonly string[]) sender.write(piece);
      sender.end();
    } else sender.end(body);
  });
}

/** The same of JSON. */
export async function ask(url: string, sent?: Sent): Promise<Answer> {
  const { status, text } = await sendTo(url, sent);
  return { status, body: JSON.parse(text) };
}
