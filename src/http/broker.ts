/** Sends events to a broker by HTTP, as CloudEvents in binary or structured mode. */
import { messageOf, PublishError, TerminalError } from "../core/errors.ts";
import { isJson, mediaTypeOf } from "../core/media-type.ts";
import { toCloudEventJson } from "../workflow/cloud-event.ts";
import type { ReceivedEvent } from "../workflow/events.ts";
import type { Delivery, Publisher } from "../workflow/outbox.ts";
import type { BrokerSettings } from "./port.ts";
import { retryAfterOf } from "./retry-after.ts";
import { loadSdk, type Sdk } from "./sdk.ts";

/** Answers by which a broker says that it may take the same event later. */
const LATER: ReadonlySet<number> = new Set([408, 425, 429]);

export function httpPublisher(settings: BrokerSettings): Publisher {
  return { publish: (event, delivery) => post(event, delivery, settings) };
}

async function post(event: ReceivedEvent<unknown>, { signal }: Delivery, broker: BrokerSettings): Promise<void> {
  const { headers, body } = messageFor(event, broker.mode, await loadSdk());
  const request: RequestInit = {
    method: "POST",
    headers: { ...headers, ...(await broker.headers()) },
    body,
    signal,
    // What follows a redirect may be a GET, without the event.
    redirect: "manual",
  };
  const response = await reached(broker.url, request);
  const text = await beginningOf(response);
  if (response.ok) return;
  const { status } = response;
  const problem = `The broker answered ${status}${text === "" ? "" : `: ${text}`}`;
  if (status >= 400 && status < 500 && !LATER.has(status)) throw new TerminalError(problem);
  throw new PublishError(problem, { retryAfter: retryAfterOf(response.headers.get("retry-after"), Date.now()) });
}

async function reached(url: string, request: RequestInit): Promise<Response> {
  try {
    return await fetch(url, request);
  } catch (error) {
    request.signal?.throwIfAborted();
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    throw new PublishError(`The broker could not be reached: ${messageOf(cause)}`, { cause: error });
  }
}

interface Message {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array<ArrayBuffer> | null;
}

/**
 * The SDK names the headers. It does not write what is in them: it sends characters that headers cannot hold, rounds
 * times, and sends a JSON text without its quotes.
 */
function messageFor(event: ReceivedEvent<unknown>, mode: BrokerSettings["mode"], { CloudEvent, HTTP }: Sdk): Message {
  const { data, extensions, ...attributes } = event;
  const all: Readonly<Record<string, string | number | boolean>> = { ...extensions, ...attributes };
  const message = HTTP[mode](new CloudEvent(all, false) as never).headers as Record<string, string>;
  if (mode === "structured") return { headers: message, body: toCloudEventJson(event) };
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(message)) {
    if (name.startsWith("ce-")) headers[name] = encode(String(all[name.slice("ce-".length)] ?? value));
  }
  if (event.datacontenttype !== undefined) headers["content-type"] = event.datacontenttype;
  return { headers, body: bodyOf(data, event.datacontenttype) };
}

function bodyOf(data: unknown, header: string | undefined): Message["body"] {
  if (data === undefined) return null;
  if (data instanceof Uint8Array) return new Uint8Array(data);
  const type = header === undefined ? undefined : mediaTypeOf(header);
  return typeof data === "string" && type && !isJson(type) ? data : JSON.stringify(data);
}

/** What headers cannot hold, percent-encoded (section 3.1.3.2 of the binding). */
function encode(value: string): string {
  return value.replaceAll(/[^\x21\x23\x24\x26-\x7e]+/gu, encodeURIComponent);
}

/** Characters of an answer that are kept, and bytes of it that are read, so that its connection can be used again. */
const KEPT = 500;
const READ = 65_536;

async function beginningOf({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of body ?? []) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > READ) break;
    }
  } catch {
    // The status has been said.
  }
  return Buffer.concat(chunks).toString().slice(0, KEPT).trim();
}
