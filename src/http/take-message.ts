/** Takes messages for channels and for instances; 202 says that it is durable. */
import type { PublishOptions } from "../workflow/channels.ts";
import { admit } from "./admit.ts";
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
    const names = namesIn(new URL(request.url).pathname);
    const { data, ...options } = bodyOf(await admit(request, context, signal));
    signal.throwIfAborted();
    const { id } = await send(names, data, options);
    return reply(202, { status: "accepted", id });
  });
}

/** What follows `publish` or `send` at the end of the path. */
function namesIn(path: string): string[] {
  const names = /\/(?:publish\/([^/]+)|send\/([^/]+)\/([^/]+))\/*$/.exec(path)?.slice(1) ?? [];
  try {
    return names.filter((name) => name !== undefined).map(decodeURIComponent);
  } catch (cause) {
    throw new Problem(400, "ParseError", `The path is not well encoded: ${String(cause)}`);
  }
}

const FIELDS: ReadonlySet<string> = new Set(["data", "metadata", "id"]);

function bodyOf(bytes: Uint8Array): { readonly data?: unknown } & PublishOptions {
  let body: unknown;
  try {
    body = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new Problem(400, "ParseError", "The body is not JSON.");
  }
  const isObject = typeof body === "object" && body !== null && !Array.isArray(body);
  const unknown = isObject ? Object.keys(body as object).find((field) => !FIELDS.has(field)) : undefined;
  if (!isObject || unknown !== undefined || !("data" in (body as object))) {
    throw new Problem(400, "ValidationError", "The body must be an object of `data` and perhaps `metadata` and `id`.");
  }
  return body as { readonly data: unknown };
}
