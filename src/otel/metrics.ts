/** Figures: the same as at `GET /metrics`, as instruments of a meter. Durations are in seconds. */
import type { Meter } from "@opentelemetry/api";
import type { Hooks } from "../index.ts";

/** Milliseconds in a second. */
const SECOND = 1_000;

export function metricHooks(meter: Meter): Hooks {
  const count = (name: string, description: string) => meter.createCounter(name, { description });
  const spread = (name: string, description: string, unit: string) =>
    meter.createHistogram(name, { description, unit });

  const started = count("romancy.workflow.started", "Instances that were started.");
  const completed = count("romancy.workflow.completed", "Instances that have completed.");
  const failed = count("romancy.workflow.failed", "Instances that have failed.");
  const cancelled = count("romancy.workflow.cancelled", "Instances that were cancelled.");
  const blocked = count("romancy.workflow.blocked", "Instances that were blocked.");
  const lifetime = spread("romancy.workflow.duration", "From the start of an instance to its end.", "s");
  const executed = count("romancy.activity.executed", "Attempts of activities.");
  const cacheHits = count("romancy.activity.cache_hit", "Activities whose outcome replayed code was given.");
  const duration = spread("romancy.activity.duration", "Attempts of activities.", "s");
  const undone = count("romancy.compensation.executed", "Attempts of compensations.");
  const delay = spread("romancy.queue.delay", "From the start of an instance until a worker ran it.", "s");
  const inbox = spread("romancy.inbox.depth", "Messages that waited for an instance that was run.", "{message}");
  const active = meter.createUpDownCounter("romancy.instance.active", {
    description: "Instances that are run at this moment.",
  });
  const commit = spread("romancy.commit.duration", "Commits of the journal.", "s");
  const batch = spread("romancy.commit.changes", "Changes in a commit of the journal.", "{change}");
  const received = count("romancy.event.received", "Events that were taken in.");
  const sent = count("romancy.event.sent", "Tries to send an event.");

  const ofWorkflow = (name: string) => ({ "romancy.workflow.name": name });
  const ofActivity = (name: string, outcome: string) => ({ "romancy.activity.name": name, "romancy.outcome": outcome });
  const ofEvent = (type: string) => ({ "cloudevents.event_type": type });

  const attempted = (outcome: string, fact: { readonly activityName: string; readonly duration: number }): void => {
    executed.add(1, ofActivity(fact.activityName, outcome));
    duration.record(fact.duration / SECOND, { "romancy.activity.name": fact.activityName });
  };
  const ended = (status: string, fact: { readonly workflowName: string; readonly duration: number }): void => {
    lifetime.record(fact.duration / SECOND, { ...ofWorkflow(fact.workflowName), "romancy.workflow.status": status });
  };

  return {
    onWorkflowStart: ({ workflowName }) => started.add(1, ofWorkflow(workflowName)),
    onWorkflowComplete(fact) {
      completed.add(1, ofWorkflow(fact.workflowName));
      ended("completed", fact);
    },
    onWorkflowFailed(fact) {
      failed.add(1, ofWorkflow(fact.workflowName));
      ended("failed", fact);
    },
    onWorkflowCancelled(fact) {
      cancelled.add(1, ofWorkflow(fact.workflowName));
      ended("cancelled", fact);
    },
    onRecur: (fact) => ended("recurred", fact),
    onWorkflowBlocked: ({ workflowName }) => blocked.add(1, ofWorkflow(workflowName)),
    onRunStart({ workflowName, queueDelay, inboxDepth }) {
      active.add(1, ofWorkflow(workflowName));
      inbox.record(inboxDepth);
      if (queueDelay !== undefined) delay.record(queueDelay / SECOND, ofWorkflow(workflowName));
    },
    onRunEnd: ({ workflowName }) => active.add(-1, ofWorkflow(workflowName)),
    onActivityComplete: (fact) => attempted("completed", fact),
    onActivityRetry: (fact) => attempted("retried", fact),
    onActivityFailed: (fact) => attempted("failed", fact),
    onActivityCacheHit: ({ workflowName }) => cacheHits.add(1, ofWorkflow(workflowName)),
    onCompensationComplete: ({ activityName }) => undone.add(1, ofActivity(activityName, "completed")),
    onCompensationRetry: ({ activityName }) => undone.add(1, ofActivity(activityName, "retried")),
    onCompensationFailed: ({ activityName }) => undone.add(1, ofActivity(activityName, "failed")),
    onCommit({ changes, duration: milliseconds }) {
      batch.record(changes);
      commit.record(milliseconds / SECOND);
    },
    onEventReceived: ({ eventType }) => received.add(1, ofEvent(eventType)),
    onEventSent: ({ eventType }) => sent.add(1, { ...ofEvent(eventType), "romancy.outcome": "sent" }),
    onEventSendFailed: ({ eventType, willRetry }) =>
      sent.add(1, { ...ofEvent(eventType), "romancy.outcome": willRetry ? "retried" : "failed" }),
  };
}
