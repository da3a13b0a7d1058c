/**
 * The undoing of what a workflow has done: compensations, one after the other, newest first. It is an execution of its
 * own, with a history that begins behind the workflow's: so after a crash what is recorded is not run again, and the
 * workflow's code is replayed only to learn what there is to be undone.
 */
import { decodeEnding } from "../core/child.ts";
import { decode } from "../core/codec.ts";
import { CompensationError, NonDeterminismError, WorkflowFailedError } from "../core/errors.ts";
import type { Execution } from "../core/execution.ts";
import type { HistoryEvent } from "../core/history.ts";
import { Saga, type Step } from "../core/saga.ts";
import type { AnyActivity } from "../workflow/activity-options.ts";
import type { Request, Undo } from "./requests.ts";

/** How the instance will end. */
export interface Verdict {
  readonly outcome: "failed" | "cancelled";
  /** Encoded text of what was thrown, if anything. */
  readonly error: string | null;
}

/** What is recorded of an instance's rollback. */
interface RollbackRecord {
  readonly verdict: Verdict;
  /** Counted from 1: the compensations that failed are run once more in the next round. */
  readonly round: number;
  /** What this round has recorded. */
  readonly history: readonly HistoryEvent[];
  /** The `seq` of what it begins with. */
  readonly after: number;
  /** Compensations that succeeded in earlier rounds. */
  readonly undone: ReadonlySet<string>;
}

/** The history of the code, and that of the rollback behind it. */
export function splitHistory(history: readonly HistoryEvent[]): {
  readonly code: readonly HistoryEvent[];
  readonly rollback: RollbackRecord | undefined;
} {
  const start = history.findIndex(({ kind }) => kind === "rollback_started");
  const begun = history[start];
  if (begun?.kind !== "rollback_started") return { code: history, rollback: undefined };
  const rounds = history.filter(({ kind }) => kind === "rollback_started" || kind === "rollback_retried");
  const after = rounds.at(-1)?.seq ?? begun.seq;
  const undone = history.flatMap((event) =>
    event.seq < after && event.seq > begun.seq && isUndone(event) ? [operationOf(event.operationId)] : [],
  );
  return {
    code: history.slice(0, start),
    rollback: {
      verdict: { outcome: begun.outcome, error: begun.error },
      round: rounds.length,
      history: history.filter(({ seq }) => seq > after),
      after,
      undone: new Set(undone),
    },
  };
}

/** Whether it tells of something that is undone; a child may have left some of it. */
function isUndone(event: HistoryEvent): boolean {
  if (event.kind === "child_ended") return decodeEnding(event.ending).compensationErrors === null;
  return event.kind === "compensation_completed";
}

/** The id under which a compensation runs, in a round. */
function compensationId(operationId: string, round: number): string {
  return `${operationId}/compensation:${round}`;
}

/** What the compensation of that id undoes. */
function operationOf(compensation: string): string {
  return compensation.slice(0, compensation.lastIndexOf("/"));
}

/** What one run knows of its rollback. */
export class Rollback {
  readonly saga: Saga<Undo> = new Saga<Undo>();
  readonly #record: RollbackRecord | undefined;
  #verdict: Verdict | undefined;

  /** @param record what was recorded when the run was loaded */
  constructor(record: RollbackRecord | undefined) {
    this.#record = record;
  }

  /** How the instance will end; only while it is being undone. */
  get verdict(): Verdict | undefined {
    return this.#verdict;
  }

  /** Whether there is something to undo, or it was begun already. */
  get isNeeded(): boolean {
    return this.#record !== undefined || this.saga.steps.length > 0;
  }

  /** Whether the code must come to its end from what is recorded. */
  get isAwaited(): boolean {
    return this.#record !== undefined && this.#verdict === undefined;
  }

  /** The code did not. */
  divergence(lastOperation: string): Error {
    const position = this.#record?.after ?? 0;
    return new NonDeterminismError(position, "the end of the workflow's code", `went on after ${lastOperation}`);
  }

  /**
   * Begins it, or goes on where it was left.
   *
   * @param lastSeq of the code's history
   */
  begin(verdict: Verdict, lastSeq: number, at: number): Beginning {
    const { saga } = this;
    const record = this.#record;
    this.#verdict = record ? { ...record.verdict, outcome: outcomeOf(verdict, record.verdict) } : verdict;
    const seq = lastSeq + 1;
    const { history, after, round, undone } = record ?? { history: [], after: seq, round: 1, undone: NOTHING };
    const steps = saga.steps.filter(({ operationId }) => !undone.has(operationId));
    const event = { kind: "rollback_started", operationId: "rollback", at, seq, ...this.#verdict } as const;
    return { event: record ? undefined : event, history, after, run: (execution) => undo(execution, steps, round) };
  }
}

/** One that had failed, and was blocked while it was being undone, can be cancelled after all. */
function outcomeOf(verdict: Verdict, recorded: Verdict): Verdict["outcome"] {
  return verdict.outcome === "cancelled" ? verdict.outcome : recorded.outcome;
}

const NOTHING: ReadonlySet<string> = new Set();

/** How a rollback begins. */
interface Beginning {
  /** To be recorded; `undefined` when it is. */
  readonly event: HistoryEvent | undefined;
  /** What is recorded of it, and the `seq` before that. */
  readonly history: readonly HistoryEvent[];
  readonly after: number;
  readonly run: (execution: Execution<Request>) => Promise<readonly CompensationError[]>;
}

/** Undoes the steps, in this order; those that fail do not keep the others from it. Gives what failed. */
async function undo(
  execution: Execution<Request>,
  steps: readonly Step<Undo>[],
  round: number,
): Promise<readonly CompensationError[]> {
  const errors: CompensationError[] = [];
  for (const step of steps) {
    const id = compensationId(step.operationId, round);
    const error = await (step.undo.type === "child"
      ? undoChild(execution, id, step, { workflow: step.undo.workflow, again: round > 1 })
      : compensate(execution, id, step, step.undo));
    if (error) errors.push(error);
  }
  return errors;
}

/** Gives the error when it fails for good. */
async function compensate(
  execution: Execution<Request>,
  id: string,
  { operationId, result }: Step<Undo>,
  { compensation, args, isSensitive }: Extract<Undo, { type: "compensation" }>,
): Promise<CompensationError | undefined> {
  const activity = compensation as unknown as AnyActivity;
  const undoes = { operationId, result: result === undefined ? undefined : decode(result), isSensitive };
  try {
    await execution.open("activity", id, { type: "activity", activity, call: {}, args, undoes });
    return undefined;
  } catch (error) {
    if (!(error instanceof CompensationError)) throw error;
    return new CompensationError(error.compensation, operationId, error.attempts, error.cause);
  }
}

/** The child undoes by itself what it has done; gives the error when some of that has failed for good. */
async function undoChild(
  execution: Execution<Request>,
  id: string,
  { operationId, childId = "" }: Step<Undo>,
  { workflow, again }: { readonly workflow: string; readonly again: boolean },
): Promise<CompensationError | undefined> {
  try {
    await execution.open("wait", id, { type: "action", request: { type: "undo_child", childId, workflow, again } });
    return undefined;
  } catch (error) {
    // A child that has been undone has not completed any more: it ends so.
    if (!(error instanceof WorkflowFailedError)) throw error;
    return error.compensationErrors.length > 0 ? new CompensationError(workflow, operationId, 1, error) : undefined;
  }
}
