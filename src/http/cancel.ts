/** Cancels an instance; 200 says that the request is durable. */
import { admit } from "./admit.ts";
import { jsonObject } from "./json-body.ts";
import { namesIn } from "./path.ts";
import type { Context } from "./port.ts";
import { Problem, reply } from "./replies.ts";
import { within } from "./within.ts";

const FIELDS: ReadonlySet<string> = new Set(["reason"]);

/** `POST /cancel/:instance`, with no body or a reason. */
export function cancelInstance(request: Request, context: Context): Promise<Response> {
  return within(context.timeout, async (signal) => {
    const [id = ""] = namesIn(request.url, /\/cancel\/([^/]+)\/*$/);
    if (id === "") throw new Problem(400, "ValidationError", "The path must name the instance: /cancel/:instance.");
    const reason = reasonIn(await admit(request, context, signal));
    signal.throwIfAborted();
    await context.app.cancel(id, reason);
    return reply(200, { status: "cancelled", instance_id: id });
  });
}

function reasonIn(body: Uint8Array): string | undefined {
  if (body.byteLength === 0) return undefined;
  const { reason } = jsonObject(body, FIELDS);
  if (reason === undefined || typeof reason === "string") return reason;
  throw new Problem(400, "ValidationError", "The `reason` must be a text.");
}
