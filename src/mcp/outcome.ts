/** The end of an instance, waited for or not. */
import {
  CancelledError,
  type InstanceDescription,
  ResultTimeoutError,
  type Romancy,
  type Workflow,
  WorkflowFailedError,
} from "../index.ts";
import { findInstance, isOver } from "./instances.ts";
import type { ExposableWorkflow } from "./workflow-tools.ts";

export type Outcome =
  | { readonly kind: "completed"; readonly output: unknown }
  | { readonly kind: "failed" | "cancelled"; readonly error: WorkflowFailedError }
  | { readonly kind: "unfinished"; readonly description: InstanceDescription };

export interface Waiting {
  /** Milliseconds. */
  readonly timeout: number;
  /** Ends the waiting, not the instance. */
  readonly signal: AbortSignal;
  /** Called before each part of the waiting. */
  readonly onPause: () => Promise<void>;
}

/** Milliseconds that are waited at a time, so that an end of the waiting is noticed, and progress is told. */
const PAUSE = 1_000;

/** Milliseconds for an end that is there already to be read. */
const READ = 10_000;

/**
 * @throws InstanceNotFoundError
 * @throws the signal's reason
 */
export async function outcomeOf(
  app: Romancy,
  workflow: ExposableWorkflow,
  id: string,
  { timeout, signal, onPause }: Waiting,
): Promise<Outcome> {
  const description = await findInstance(app, workflow.name, id);
  const deadline = performance.now() + timeout;
  let least = lookFor(description);
  for (;;) {
    signal.throwIfAborted();
    const wait = Math.max(least, Math.min(PAUSE, deadline - performance.now()));
    least = 0;
    if (wait <= 0) return { kind: "unfinished", description: await findInstance(app, workflow.name, id) };
    await onPause();
    const outcome = await endWithin(app, workflow, id, wait);
    if (outcome) return outcome;
  }
}

/** Milliseconds to look for an end that is there, or that may be there: that of the instance as which this one went on. */
function lookFor({ status }: InstanceDescription): number {
  if (status === "recurred") return PAUSE;
  return isOver(status) ? READ : 0;
}

async function endWithin(
  app: Romancy,
  workflow: ExposableWorkflow,
  id: string,
  timeout: number,
): Promise<Outcome | undefined> {
  try {
    const output = await app
      .handle(workflow as unknown as Workflow<readonly unknown[], unknown>, id)
      .result({ timeout });
    return { kind: "completed", output };
  } catch (error) {
    if (error instanceof ResultTimeoutError) return undefined;
    if (!(error instanceof WorkflowFailedError)) throw error;
    return { kind: error.cause instanceof CancelledError ? "cancelled" : "failed", error };
  }
}
