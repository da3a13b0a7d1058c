/** The figures of one app since it was made: gathered where its hooks are told of facts, and given as text. */
import { Count, Histogram } from "./prometheus.ts";

/** Seconds: from a call in memory to what takes hours. */
const SHORT = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** Seconds: from what needs no wait to what waits for months. */
const LONG = [0.01, 0.1, 1, 10, 60, 600, 3_600, 21_600, 86_400, 604_800, 2_592_000];

const SIZES = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000];

const counter = (name: string, help: string, ...labels: string[]): Count => new Count("counter", name, help, ...labels);

/** Milliseconds in a second. */
const SECOND = 1_000;

/** How an attempt came out: `retried` when there will be another. */
export type Outcome = "completed" | "retried" | "failed";

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

  workflowStarted(workflow: string): void {
    this.#started.add(1, workflow);
  }

  /** @param duration milliseconds from its start, as all durations here */
  workflowEnded(workflow: string, status: string, duration: number): void {
    this.#ended.add(1, workflow, status);
    this.#lifetimes.add(duration / SECOND, workflow, status);
  }

  workflowBlocked(workflow: string): void {
    this.#blocked.add(1, workflow);
  }

  /** @param queueDelay from its start, the first time that it is run */
  runStarted(workflow: string, queueDelay: number | undefined, inboxDepth: number): void {
    this.#active.add(1);
    this.#inboxes.add(inboxDepth);
    if (queueDelay !== undefined) this.#delays.add(queueDelay / SECOND, workflow);
  }

  runEnded(): void {
    this.#active.add(-1);
  }

  attemptEnded(activity: string, outcome: Outcome, duration: number): void {
    this.#attempts.add(1, activity, outcome);
    this.#durations.add(duration / SECOND, activity);
  }

  compensationEnded(compensation: string, outcome: Outcome): void {
    this.#undone.add(1, compensation, outcome);
  }

  cacheHit(workflow: string): void {
    this.#hits.add(1, workflow);
  }

  committed(changes: number, duration: number): void {
    this.#batches.add(changes);
    this.#commits.add(duration / SECOND);
  }

  eventReceived(type: string): void {
    this.#received.add(1, type);
  }

  eventSent(type: string, outcome: "sent" | "retried" | "failed"): void {
    this.#sent.add(1, type, outcome);
  }

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
}
