import { readBody } from "./body.ts";
import type { HttpSettings } from "./port.ts";
import { Problem } from "./replies.ts";

/**
 * The body of a request that may come in. It is read first, so that `authorize` can look at it, to check a signature; the
 * limit holds for everybody.
 */
export async function admit(
  request: Request,
  { authorize, maxBodyBytes }: HttpSettings,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const body = await readBody(request, maxBodyBytes, signal);
  if (authorize) {
    const { url, method, headers } = request;
    const hasBody = method !== "GET" && method !== "HEAD";
    const isAllowed: unknown = await authorize(new Request(url, { method, headers, ...(hasBody && { body }) }));
    // Nothing but true: what was forgotten to be returned, or awaited, lets nobody in.
    if (isAllowed !== true) throw new Problem(403, "Forbidden", "The request is not allowed.");
  }
  return body;
}
