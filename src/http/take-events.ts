/** Takes events: all of a request are found good before the first is stored, and 202 says that all are durable. */
import type { EventInput } from "../workflow/events.ts";
import { admit } from "./admit.ts";
import { eventsOf, messageOf } from "./cloud-events.ts";
import type { Context, HttpApp, PreparedEvent } from "./port.ts";
import { BatchError, reply, statusOf } from "./replies.ts";
import { loadSdk } from "./sdk.ts";
import { within } from "./within.ts";

export function takeEvents(request: Request, context: Context): Promise<Response> {
  return within(context.timeout, async (signal) => {
    const message = messageOf(request.headers);
    const body = await admit(request, context, signal);
    const events = eventsOf(message, body, await loadSdk());
    const isBatch = message.mode === "batch";
    const prepared = await prepare(events, isBatch, context.app);
    signal.throwIfAborted();
    await send(prepared, isBatch);
    const ids = prepared.map(({ id }) => id);
    return reply(202, { status: "accepted", ...(isBatch ? { ids } : { id: ids[0] }) });
  });
}

async function prepare(events: readonly EventInput[], isBatch: boolean, app: HttpApp): Promise<PreparedEvent[]> {
  const prepared: PreparedEvent[] = [];
  for (const [index, event] of events.entries()) {
    try {
      prepared.push(await app.prepareEvent(event));
    } catch (error) {
      throw isBatch ? new BatchError(index, error) : error;
    }
  }
  return prepared;
}

/** In order, and at once: they share a commit. */
async function send(prepared: readonly PreparedEvent[], isBatch: boolean): Promise<void> {
  const outcomes = await Promise.allSettled(prepared.map((event) => event.send()));
  const failures = outcomes.flatMap((outcome, index) =>
    outcome.status === "rejected" ? [{ index, error: outcome.reason as unknown }] : [],
  );
  // One that is worth sending again makes the batch worth it; what was stored already is known by source and id.
  const failure = failures.find(({ error }) => statusOf(error) >= 500) ?? failures[0];
  if (failure) throw isBatch ? new BatchError(failure.index, failure.error) : failure.error;
}
