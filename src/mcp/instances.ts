/** Instances as tools tell of them. */
import {
  type InstanceDescription,
  InstanceNotFoundError,
  type InstanceStatus,
  type Romancy,
  type WaitDescription,
} from "../index.ts";

/** What is known of an instance to whoever asks by its id. */
export interface Found {
  readonly description: InstanceDescription;
  readonly completedActivities: number;
}

/**
 * @throws InstanceNotFoundError also when it is of another workflow: whoever may ask for this one may not ask for that
 */
export async function findInstance(app: Romancy, workflow: string, id: string): Promise<InstanceDescription> {
  const description = await app.getInstance(id);
  if (description.workflow !== workflow) throw new InstanceNotFoundError(id);
  return description;
}

export async function countActivities(app: Romancy, id: string): Promise<number> {
  const history = await app.getHistory(id);
  return history.filter(({ kind }) => kind === "activity_completed").length;
}

/** Whether it has ended, or went on as another instance. */
export function isOver(status: InstanceStatus): boolean {
  return status === "completed" || status === "failed" || status === "cancelled" || status === "recurred";
}

/** Milliseconds until asking again is worth it; what waits takes longer as a rule. */
export function pollInterval({ status }: InstanceDescription): number {
  return status === "waiting" || status === "blocked" ? 10_000 : 5_000;
}

/** Such as `waiting for the event payment.completed (ORD-1) until 2026-03-01T12:00:00.000Z; 2 activities are completed`. */
export function progressText({ description, completedActivities }: Found): string {
  const { waitingFor } = description;
  const state = stateOf(description);
  const waits = waitingFor.map(waitText).join(", ");
  const done = completedActivities === 1 ? "1 activity is" : `${completedActivities} activities are`;
  return `${waits === "" ? state : `${state} for ${waits}`}; ${done} completed`;
}

function stateOf({ status }: InstanceDescription): string {
  return status === "recurred" ? "going on as another instance" : status;
}

function waitText(wait: WaitDescription): string {
  const until = wait.until === undefined ? "" : ` until ${wait.until.toISOString()}`;
  switch (wait.kind) {
    case "timer":
      return `a timer${until}`;
    case "retry":
      return `another attempt of ${wait.operationId}${until}`;
    case "event":
      return `the event ${wait.types.join(" or ")}${wait.key === undefined ? "" : ` (${wait.key})`}${until}`;
    case "channel":
      return `a message on ${wait.channel}${until}`;
    case "child":
      return `the workflow ${wait.workflow} (${wait.childId})${until}`;
  }
}

/** What it waits for, for programs. */
export function waitJson(wait: WaitDescription): Readonly<Record<string, unknown>> {
  const { kind, operationId, until } = wait;
  const base = { kind, operation_id: operationId, ...(until && { until: until.toISOString() }) };
  switch (wait.kind) {
    case "timer":
    case "retry":
      return base;
    case "event":
      return { ...base, types: wait.types, ...(wait.key !== undefined && { key: wait.key }) };
    case "channel":
      return { ...base, channel: wait.channel };
    case "child":
      return { ...base, child_id: wait.childId, workflow: wait.workflow };
  }
}
