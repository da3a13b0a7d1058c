/** Between Node's requests and the Web's. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { NodeBody } from "./node-body.ts";
import type { Fetch } from "./port.ts";
import { Problem, replyToError } from "./replies.ts";

/**
 * A listener for `node:http`, and so for Express and Fastify, of what `app.fetch` answers. Give it requests whose body
 * nobody has read: mount it ahead of body parsers.
 *
 * @example
 * createServer(toNodeListener(app.fetch)).listen(8080);
 * express().use("/romancy", toNodeListener(app.fetch));
 */
export function toNodeListener(fetch: Fetch): (message: IncomingMessage, response: ServerResponse) => void {
  return (message, response) => {
    // Who has gone does not get a reply, and that is all.
    response.on("error", () => {});
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    void answer(fetch, message, response, gone.signal);
  };
}

async function answer(
  fetch: Fetch,
  message: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  // Before anything listens to it.
  const wasRead = message.readableDidRead;
  const body = new NodeBody(message);
  try {
    await send(await ask(fetch, message, body, wasRead, signal), response);
  } catch {
    response.destroy();
  }
  body.leave();
}

async function ask(
  fetch: Fetch,
  message: IncomingMessage,
  body: NodeBody,
  wasRead: boolean,
  signal: AbortSignal,
): Promise<Response> {
  const request = requestOf(message, body, signal);
  if (!request) return replyToError(new Problem(400, "ParseError", "This is no request that can be understood."));
  if (wasRead && request.body) {
    const problem = "The body was read before romancy got the request. Mount romancy ahead of body parsers.";
    return replyToError(new Problem(500, "BodyAlreadyRead", problem));
  }
  return fetch(request);
}

/** `undefined` for what the Web's standard has no request for. */
function requestOf(message: IncomingMessage, body: NodeBody, signal: AbortSignal): Request | undefined {
  const { method = "GET", url = "/", rawHeaders } = message;
  const scheme = "encrypted" in message.socket ? "https" : "http";
  const hasBody = method !== "GET" && method !== "HEAD";
  try {
    const headers = new Headers();
    for (let at = 0; at < rawHeaders.length; at += 2) {
      const [name = "", value = ""] = rawHeaders.slice(at, at + 2);
      // Those of HTTP/2 that stand for the first line.
      if (!name.startsWith(":")) headers.append(name, value);
    }
    const base = `${scheme}://${headers.get("host") ?? "localhost"}`;
    return new Request(url.startsWith("/") ? `${base}${url}` : url, {
      method,
      headers,
      // Tells who answers that nobody waits for the answer any more.
      signal,
      ...(hasBody && { body: body.stream, duplex: "half" }),
    });
  } catch {
    return undefined;
  }
}

/** Whole, so that its length is told; a stream of events as they come. */
async function send(reply: Response, response: ServerResponse): Promise<void> {
  if (reply.body && reply.headers.get("content-type")?.startsWith("text/event-stream")) {
    response.writeHead(reply.status, Object.fromEntries(reply.headers));
    response.flushHeaders();
    await pipeline(Readable.fromWeb(reply.body), response);
    return;
  }
  const content = Buffer.from(await reply.arrayBuffer());
  response.writeHead(reply.status, Object.fromEntries(reply.headers));
  response.end(content);
}
