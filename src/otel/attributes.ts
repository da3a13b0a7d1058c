/**
 * Names of attributes. Where OpenTelemetry has one it is used (https://opentelemetry.io/docs/specs/semconv/); all others
 * begin with `romancy.`.
 */
import type { Attributes } from "@opentelemetry/api";
import type { ActivityStart, EventFact, InstanceFact, WaitTarget } from "../index.ts";

export function instanceAttributes({ instanceId, workflowName }: InstanceFact): Attributes {
  return { "romancy.instance.id": instanceId, "romancy.workflow.name": workflowName };
}

export function attemptAttributes(fact: ActivityStart): Attributes {
  return {
    ...instanceAttributes(fact),
    "romancy.activity.id": fact.activityId,
    "romancy.activity.name": fact.activityName,
    "romancy.activity.attempt": fact.attempt,
  };
}

export function eventAttributes({ eventType, eventId, eventSource, instanceId }: EventFact): Attributes {
  return {
    "cloudevents.event_type": eventType,
    "cloudevents.event_id": eventId,
    "cloudevents.event_source": eventSource,
    ...(instanceId !== undefined && { "romancy.instance.id": instanceId }),
  };
}

/** What is waited for, as it stands in the name of a span. */
export function nameOf(waitFor: WaitTarget): string {
  if (waitFor.kind === "event") return waitFor.types.join("|");
  return waitFor.kind === "channel" ? waitFor.channel : waitFor.workflow;
}
