/** The figures of one app since it was made: gathered from what its hooks are told, and given as text. */
import type { Hooks } from "../workflow/hooks.ts";
import { Count, Histogram } from "./prometheus.ts";

/** Seconds: from a call in memory to what takes hours. */
const SHORT = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** Seconds: from what needs no wait to what waits for months. */
const LONG = [0.01, 0.1, 1, 10, 60, 600, 3_600, 21_600, 86_400, 604_800, 2_592_000];

const SIZES = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000];

const counter = (name: string, help: string, ...labels: string[]): Count => new Count("counter", name, help, ...labels);

/** Milliseconds in a second. */
const SECOND = 1_000;

export class Metrics {
  readonly #started = counter("romancy_workflows_started_total", "Instances that were started.", "workflow");
  readonly #ended = counter("romancy_workflows_ended_total", "Instances that have ended.", "workflow", "status");
  readonly #blocked = counter("romancy_workflows_blocked_total", "Instances that were blocked.", "workflow");
  readonly #lifetimes = new Histogram(
    LONG,
    "romancy_workflow_duration_seconds",
    "From the start of an instance to its end.",
    "workflow",
    "status",
  );
  readonly #attempts = counter(
    "romancy_activity_attempts_total",
    "Attempts of activities, by how they came out.",
    "activity",
    "outcome",
  );
  readonly #durations = new Histogram(
    SHORT,
    "romancy_activity_duration_seconds",
    "Attempts of activities.",
    "activity",
  );
  readonly #hits = counter(
    "romancy_activity_cache_hits_total",
    "Activities that replayed code was answered.",
    "workflow",
  );
  readonly #undone = counter(
    "romancy_compensation_attempts_total",
    "Attempts of compensations, by how they came out.",
    "compensation",
    "outcome",
  );
  readonly #delays = new Histogram(
    SHORT,
    "romancy_queue_delay_seconds",
    "From the start of an instance until a worker ran it.",
    "workflow",
  );
  readonly #inboxes = new Histogram(
    SIZES,
    "romancy_inbox_messages",
    "Messages that waited for an instance that was run.",
  );
  readonly #active = new Count("gauge", "romancy_instances_active", "Instances that are run at this moment.");
  readonly #commits = new Histogram(SHORT, "romancy_commit_duration_seconds", "Commits of the journal.");
  readonly #batches = new Histogram(SIZES, "romancy_commit_changes", "Changes in a commit of the journal.");
  readonly #received = counter("romancy_events_received_total", "Events that were taken in.", "type");
  readonly #sent = counter(
    "romancy_events_sent_total",
    "Tries to send an event, by how they came out.",
    "type",
    "outcome",
  );

  readonly hooks: Hooks = {
    onWorkflowStart: ({ workflowName }) => this.#started.add(1, workflowName),
    onWorkflowComplete: ({ workflowName, duration }) => this.#end(workflowName, "completed", duration),
    onWorkflowFailed: ({ workflowName, duration }) => this.#end(workflowName, "failed", duration),
    onWorkflowCancelled: ({ workflowName, duration }) => this.#end(workflowName, "cancelled", duration),
    onRecur: ({ workflowName, duration }) => this.#end(workflowName, "recurred", duration),
    onWorkflowBlocked: ({ workflowName }) => this.#blocked.add(1, workflowName),
    onRunStart: ({ workflowName, queueDelay, inboxDepth }) => {
      this.#active.add(1);
      this.#inboxes.add(inboxDepth);
      if (queueDelay !== undefined) this.#delays.add(queueDelay / SECOND, workflowName);
    },
    onRunEnd: () => this.#active.add(-1),
    onActivityComplete: (fact) => this.#attempt("completed", fact),
    onActivityRetry: (fact) => this.#attempt("retried", fact),
    onActivityFailed: (fact) => this.#attempt("failed", fact),
    onActivityCacheHit: ({ workflowName }) => this.#hits.add(1, workflowName),
    onCompensationComplete: ({ activityName }) => this.#undone.add(1, activityName, "completed"),
    onCompensationRetry: ({ activityName }) => this.#undone.add(1, activityName, "retried"),
    onCompensationFailed: ({ activityName }) => this.#undone.add(1, activityName, "failed"),
    onCommit: ({ changes, duration }) => {
      this.#batches.add(changes);
      this.#commits.add(duration / SECOND);
    },
    onEventReceived: ({ eventType }) => this.#received.add(1, eventType),
    onEventSent: ({ eventType }) => this.#sent.add(1, eventType, "sent"),
    onEventSendFailed: ({ eventType, willRetry }) => this.#sent.add(1, eventType, willRetry ? "retried" : "failed"),
  };

  /** As Prometheus reads it, in the text format 0.0.4. */
  text(): string {
    const figures = [
      this.#started,
      this.#ended,
      this.#blocked,
      this.#lifetimes,
      this.#attempts,
      this.#durations,
      this.#hits,
      this.#undone,
      this.#delays,
      this.#inboxes,
      this.#active,
      this.#commits,
      this.#batches,
      this.#received,
      this.#sent,
    ];
    return `${figures.flatMap((figure) => figure.lines()).join("\n")}\n`;
  }

  #end(workflow: string, status: string, duration: number): void {
    this.#ended.add(1, workflow, status);
    this.#lifetimes.add(duration / SECOND, workflow, status);
  }

  #attempt(
    outcome: string,
    { activityName, duration }: { readonly activityName: string; readonly duration: number },
  ): void {
    this.#attempts.add(1, activityName, outcome);
    this.#durations.add(duration / SECOND, activityName);
  }
}
