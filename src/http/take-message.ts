/** Takes messages for channels and for instances; 202 says that it is durable. */
import type { PublishOptions } from "../workflow/channels.ts";
import { admit } from "./admit.ts";
import { jsonObject } from "./json-body.ts";
import { namesIn } from "./path.ts";
import type { Context } from "./port.ts";
import { Problem, reply } from "./replies.ts";
import { within } from "./within.ts";

/** `POST /publish/:channel` */
export function publishMessage(request: Request, context: Context): Promise<Response> {
  return take(request, context, ([channel = ""], data, options) => context.app.publish(channel, data, options));
}

/** `POST /send/:instance/:channel` */
export function sendMessage(request: Request, context: Context): Promise<Response> {
  return take(request, context, ([instance = "", channel = ""], data, options) =>
    context.app.sendTo(instance, channel, data, options),
  );
}

type Send = (names: readonly string[], data: unknown, options: PublishOptions) => Promise<{ readonly id: string }>;

function take(request: Request, context: Context, send: Send): Promise<Response> {
  return within(context.timeout, async (signal) => {
    const isJson = /^application\/json\s*(;|$)/i.test(request.headers.get("content-type") ?? "");
    if (!isJson) throw new Problem(415, "UnsupportedMediaType", "A message is sent as application/json.");
    const names = namesIn(request.url, /\/(?:publish\/([^/]+)|send\/([^/]+)\/([^/]+))\/*$/);
    const { data, ...options } = bodyOf(await admit(request, context, signal));
    signal.throwIfAborted();
    const { id } = await send(names, data, options);
    return reply(202, { status: "accepted", id });
  });
}

const FIELDS: ReadonlySet<string> = new Set(["data", "metadata", "id"]);

function bodyOf(bytes: Uint8Array): { readonly data?: unknown } & PublishOptions {
  const body = jsonObject(bytes, FIELDS);
  if (!("data" in body)) throw new Problem(400, "ValidationError", "The body must have the field `data`.");
  return body;
}
