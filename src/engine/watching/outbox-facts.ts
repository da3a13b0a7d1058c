/** What hooks are told of events for brokers. */

import { carriedByEvent } from "../../core/trace-context.ts";
import type { ClaimedEvent, Settlement } from "../../store/store.ts";
import type { EventFact } from "../../workflow/hooks.ts";
import type { Failure, HookRunner } from "./hooks.ts";

export function eventFactOf({ attributes, instanceId }: ClaimedEvent): EventFact {
  const { type, id, source } = attributes as { readonly type: string; readonly id: string; readonly source: string };
  return { eventType: type, eventId: id, eventSource: source, instanceId, traceContext: carriedByEvent(attributes) };
}

/** What hooks take for a failure of a try. */
export function failureOf(settlement: Settlement): Failure {
  if (settlement.type === "published") return undefined;
  const text = settlement.type === "failed" ? (settlement.error ?? "It is too old.") : "The try was abandoned.";
  return { error: new Error(text) };
}

/** What became of it is durable. */
export function tellSettled(hooks: HookRunner, event: ClaimedEvent, settlement: Settlement): void {
  const type = event.attributes["type"] as string;
  if (settlement.type === "published") {
    hooks.figures?.eventSent(type, "sent");
    hooks.tell("onEventSent", () => ({ ...eventFactOf(event), attempts: event.attempts + 1 }));
  }
  if (settlement.type !== "failed") return;
  const { attempts, error, status } = settlement;
  const willRetry = status === "pending";
  hooks.figures?.eventSent(type, willRetry ? "retried" : "failed");
  hooks.tell("onEventSendFailed", () => ({
    ...eventFactOf(event),
    attempts,
    error: error ?? "It is too old.",
    willRetry,
  }));
}
