/** `GET /metrics`: figures, as Prometheus reads them. */
import { admit } from "./admit.ts";
import type { Context } from "./port.ts";
import { Problem } from "./replies.ts";
import { within } from "./within.ts";

export function giveMetrics(request: Request, context: Context): Promise<Response> {
  return within(context.timeout, async (signal) => {
    await admit(request, context, signal);
    const text = context.app.metrics();
    if (text === undefined)
      throw new Problem(404, "NotFound", "This app keeps no figures: its option `metrics` is off.");
    return new Response(text, { headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" } });
  });
}
