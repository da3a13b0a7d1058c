/**
 * Runs today's code against an exported history: no database, no activity, nothing recorded.
 *
 * The code must follow the history as it does in a worker. Where the history is known to hold all of it, because the
 * instance has ended or was being undone, it must also come to its end there, and to the same one.
 */

import { isDeepStrictEqual } from "node:util";
import { decode } from "../core/codec.ts";
import type { InstancePatch } from "../core/commit.ts";
import { AppStateError, NonDeterminismError, WorkflowNotRegisteredError } from "../core/errors.ts";
import { Execution, type ExecutionSource } from "../core/execution.ts";
import { isFinished } from "../core/status.ts";
import type { Outcome, Turn } from "../core/turn.ts";
import type { Store } from "../store/store.ts";
import type { AnyWorkflow } from "../workflow/workflow.ts";
import { Cancellation } from "./cancellation.ts";
import { systemClock } from "./clock.ts";
import { type Ending, endingOf, endOf, patchForRollback, patchForVerdict } from "./ending.ts";
import { type ExportedInstance, type HistoryExport, readExport } from "./inspection/history-export.ts";
import { setImmediate } from "./machine-time.ts";
import { runProgram } from "./program.ts";
import { randomBytes } from "./random.ts";
import type { ContextOptions, Request } from "./requests.ts";
import { Rollback, splitHistory, type Verdict } from "./rollback.ts";
import { guardRejections, isInCleanup, unguardRejections } from "./scope.ts";
import { NO_SEAMS } from "./seams.ts";

/** How an instance ended, or would end; values are decoded. */
export interface ReplayEnd {
  readonly status: "completed" | "failed" | "cancelled" | "recurred";
  /** What was returned. */
  readonly output?: unknown;
  /** What was thrown. */
  readonly error?: unknown;
}

/** What today's code makes of a history. */
type ReplayVerdict =
  /** It follows the history, and comes to the same end where there is one. */
  | { readonly type: "ok" }
  /**
   * It does not follow: the instance would be `blocked`. The error is a `NonDeterminismError`, which says where, what was
   * recorded and what the code asked for; or a `StoreError` for a value that cannot be read.
   */
  | { readonly type: "diverged"; readonly error: Error }
  | { readonly type: "not_registered"; readonly error: WorkflowNotRegisteredError }
  /** It follows, and comes to another end than was recorded. */
  | { readonly type: "different_end"; readonly recorded: ReplayEnd; readonly replayed: ReplayEnd };

/** What today's code makes of one history. `type` tells what; only `ok` is good. */
export type ReplayResult = ReplayVerdict & {
  readonly instanceId: string;
  readonly workflow: string;
};

export interface ReplayEnvironment {
  readonly app: object;
  readonly workflows: ReadonlyMap<string, AnyWorkflow>;
  readonly maxValueBytes: number;
}

const OK: ReplayVerdict = { type: "ok" };

/**
 * Never rejects for what the code does.
 *
 * @throws ValidationError when it is no export
 */
export async function replay(history: unknown, environment: ReplayEnvironment): Promise<ReplayResult> {
  const read = readExport(history);
  const { id: instanceId, workflow: name } = read.instance;
  const facts = { instanceId, workflow: name };
  const workflow = environment.workflows.get(name);
  if (!workflow) return { ...facts, type: "not_registered", error: new WorkflowNotRegisteredError(name) };
  guardRejections();
  try {
    return { ...facts, ...(await new Replay(read, workflow, environment).run()) };
  } finally {
    unguardRejections();
  }
}

/** Where the code stands when it is quiet, or has ended. */
interface Standing {
  readonly outcome: Outcome | undefined;
  /** The id of what it asked for beyond the history, if anything. */
  readonly beyond: string | undefined;
}

class Replay {
  readonly #instance: ExportedInstance;
  readonly #events: HistoryExport["events"];
  readonly #workflow: AnyWorkflow;
  readonly #environment: ReplayEnvironment;
  readonly #cancellation = new Cancellation();
  readonly #code: HistoryExport["events"];
  readonly #rollback: Rollback;
  /** Recorded, if what the code had done was to be undone. */
  readonly #verdict: Verdict | undefined;
  #executions: Execution<Request>[] = [];

  constructor({ instance, events }: HistoryExport, workflow: AnyWorkflow, environment: ReplayEnvironment) {
    const { code, rollback } = splitHistory(events);
    this.#instance = instance;
    this.#events = events;
    this.#workflow = workflow;
    this.#environment = environment;
    this.#code = code;
    this.#rollback = new Rollback(rollback);
    this.#verdict = rollback?.verdict;
  }

  async run(): Promise<ReplayVerdict> {
    try {
      return await this.#judgeCode(await this.#runCode());
    } finally {
      for (const execution of this.#executions) execution.close();
    }
  }

  /** Whether the code has come to its end within the history. */
  get #isComplete(): boolean {
    return this.#verdict !== undefined || (isFinished(this.#instance.status) && !this.#wasNeverTold);
  }

  /** Cancelled before it had begun, or while its code did not follow: nobody ran the code to an end. */
  get #wasNeverTold(): boolean {
    return this.#instance.status === "cancelled" && !this.#code.some(({ kind }) => kind === "cancel_requested");
  }

  #runCode(): Promise<Standing> {
    const { id: instanceId, workflow: workflowName, input } = this.#instance;
    const { app, workflows, maxValueBytes } = this.#environment;
    const context: ContextOptions = {
      app,
      instanceId,
      workflowName,
      traceContext: null,
      clock: systemClock,
      log: SILENT,
      randomBytes,
      maxValueBytes,
      saga: this.#rollback.saga,
      cancellation: this.#cancellation,
      onRejoined: undefined,
      seams: NO_SEAMS,
      knows: (other) => workflows.get(other.name) === other,
      get store(): Store {
        throw new AppStateError("A history is replayed without a database.");
      },
    };
    const program = (execution: Execution<Request>): unknown =>
      runProgram(this.#workflow, decode(input) as unknown[], execution, context);
    return this.#stand({ history: this.#code, isComplete: this.#isComplete }, program);
  }

  /** Runs until the history is told, and the code has nothing more to do. */
  #stand(
    source: Omit<ExecutionSource, "program">,
    program: (execution: Execution<Request>) => unknown,
  ): Promise<Standing> {
    return new Promise((resolve) => {
      const execution: Execution<Request> = new Execution<Request>({
        ...source,
        instanceId: this.#instance.id,
        program: () => program(execution),
        defer: (task) => setImmediate(task),
        onTurn: (turn) => resolve({ outcome: turn.outcome, beyond: beyondOf(turn) }),
        isShielded: isInCleanup,
        onCancel: (error) => this.#cancellation.abort(error),
        onEvent: (event) => this.#rollback.saga.note(event),
      });
      this.#executions.push(execution);
      execution.start();
    });
  }

  async #judgeCode({ outcome, beyond }: Standing): Promise<ReplayVerdict> {
    if (outcome?.type === "diverged") return { type: "diverged", error: outcome.error };
    // What it asks for next has not happened yet.
    if (!this.#isComplete) return OK;
    if (!outcome || beyond !== undefined) return this.#notEnded(beyond);
    const ending = endingOf(outcome, this.#isCancelled, this.#workflow, {
      clock: systemClock,
      environment: this.#environment,
      randomBytes,
      workerId: "",
    });
    return this.#verdict ? this.#judgeRollback(ending, this.#verdict) : this.#compare(patchOf(ending));
  }

  get #isCancelled(): boolean {
    return this.#verdict?.outcome === "cancelled" || this.#code.some(({ kind }) => kind === "cancel_requested");
  }

  /** The code has ended; what it has done was being undone. */
  async #judgeRollback(ending: Ending, recorded: Verdict): Promise<ReplayVerdict> {
    const replayed = endOfPatch(patchOf(ending));
    const begun = endOfPatch(patchForVerdict(recorded, [], 0));
    if (!isSame(begun, replayed)) return { type: "different_end", recorded: begun, replayed };
    const lastSeq = this.#code.at(-1)?.seq ?? 0;
    const { history, after, run } = this.#rollback.begin(recorded, lastSeq, 0);
    const { outcome, beyond } = await this.#stand({ history, after }, run);
    if (outcome?.type === "diverged") return { type: "diverged", error: outcome.error };
    if (!isFinished(this.#instance.status)) return OK;
    return outcome ? this.#compare(patchForRollback(recorded, outcome, 0)) : this.#notEnded(beyond);
  }

  #notEnded(beyond: string | undefined): ReplayVerdict {
    const asked = beyond === undefined ? "went on without asking for anything" : `asked for ${beyond}`;
    const recorded = "the end of the workflow's code";
    return { type: "diverged", error: new NonDeterminismError(this.#events.length + 1, recorded, asked) };
  }

  #compare(patch: InstancePatch): ReplayVerdict {
    const replayed = endOfPatch(patch);
    const recorded = endOfRecord(this.#instance);
    return isSame(recorded, replayed) ? OK : { type: "different_end", recorded, replayed };
  }
}

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

/** What the code has recorded anew, or has asked for and waits for. */
function beyondOf({ events, requested, outcome }: Turn<Request>): string | undefined {
  // What it did not wait for may never have had a record.
  return events[0]?.operationId ?? (outcome ? undefined : requested.at(-1)?.id);
}

/** The end, as if there were nothing to be undone. */
function patchOf(ending: Ending): InstancePatch {
  return ending.type === "at_once" ? ending.patch : patchForVerdict(ending.verdict, [], 0);
}

function endOfPatch(patch: InstancePatch): ReplayEnd {
  const ending = endOf("", "", patch, undefined);
  return ending ? endOfRecord(ending) : { status: "recurred" };
}

/** A child that had completed, and was undone, still has what it returned: that is not its end any more. */
function endOfRecord({ status, output, error }: Pick<ExportedInstance, "status" | "output" | "error">): ReplayEnd {
  return {
    status: status as ReplayEnd["status"],
    ...(status === "completed" && output !== null && { output: decode(output) }),
    ...(error !== null && { error: decode(error) }),
  };
}

/** Of errors the name and the message count: stacks are those of another version of the code. */
function isSame(recorded: ReplayEnd, replayed: ReplayEnd): boolean {
  return (
    recorded.status === replayed.status &&
    isDeepStrictEqual(recorded.output, replayed.output) &&
    isDeepStrictEqual(comparable(recorded.error), comparable(replayed.error))
  );
}

function comparable(thrown: unknown): unknown {
  return thrown instanceof Error ? { name: thrown.name, message: thrown.message } : thrown;
}
