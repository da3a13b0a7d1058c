/** How the end of a workflow's code becomes the end of its instance, or the beginning of the next one. */
import { encodeFailures } from "../core/child.ts";
import { encode, encodeThrown } from "../core/codec.ts";
import type { InstancePatch } from "../core/commit.ts";
import { CancelledError, CompensationError, messageOf, StoreError } from "../core/errors.ts";
import type { Outcome } from "../core/turn.ts";
import { uuidv7 } from "../core/uuid.ts";
import type { CancelRequest, Ending as End } from "../store/store.ts";
import type { AnyWorkflow } from "../workflow/workflow.ts";
import type { Clock } from "./clock.ts";
import { Recurrence } from "./recurrence.ts";
import type { Verdict } from "./rollback.ts";

interface EndingHost {
  readonly clock: Clock;
  readonly environment: { readonly maxValueBytes: number };
  readonly randomBytes: (count: number) => Uint8Array;
  /** Who runs what the instance goes on as. */
  readonly workerId: string;
}

/** What those who wait for the instance are told; `undefined` when it has not ended for them. */
export function endOf(
  id: string,
  workflow: string,
  patch: InstancePatch,
  cancel: CancelRequest | undefined,
): End | undefined {
  const nothing = { id, workflow, output: null, error: null, cancelReason: null, compensationErrors: null };
  switch (patch.event) {
    case "complete":
      return { ...nothing, status: "completed", output: patch.output };
    case "fail":
      return { ...nothing, status: "failed", error: patch.error, compensationErrors: patch.compensationErrors };
    case "cancel": {
      const { error, compensationErrors } = patch;
      return { ...nothing, status: "cancelled", error, cancelReason: cancel?.reason ?? null, compensationErrors };
    }
    default:
      return undefined;
  }
}

/** What is to become of the instance: an end at once, or one behind the undoing of what it has done. */
export type Ending =
  | { readonly type: "at_once"; readonly patch: InstancePatch }
  | { readonly type: "undone"; readonly verdict: Verdict };

/**
 * How the code's outcome is to be taken; a result that cannot be stored fails the instance.
 *
 * @param isCancelled whether a cancel of the instance was asked for, which counts more than what the code came to
 */
export function endingOf(outcome: Outcome, isCancelled: boolean, workflow: AnyWorkflow, host: EndingHost): Ending {
  const at = host.clock.now();
  if (outcome.type === "diverged") return { type: "at_once", patch: divergedPatch(outcome.error, isCancelled, at) };
  if (outcome.type === "threw") return { type: "undone", verdict: verdictOf(outcome.error, isCancelled) };
  if (isCancelled) return { type: "undone", verdict: { outcome: "cancelled", error: null } };
  try {
    return { type: "at_once", patch: patchForValue(outcome.value, at, workflow, host) };
  } catch (error) {
    return { type: "undone", verdict: verdictOf(error, false) };
  }
}

/** The end of an instance whose compensations have been run, or that has none. */
export function patchForVerdict(
  { outcome, error }: Verdict,
  failures: readonly CompensationError[],
  at: number,
): InstancePatch {
  const compensationErrors = encodeFailures(failures);
  return outcome === "cancelled"
    ? { event: "cancel", at, error, compensationErrors }
    : { event: "fail", at, error: error ?? encodeThrown(undefined), compensationErrors };
}

/** The end of one of which the database does not take what it writes. */
export function patchForRefusal(id: string, cause: unknown, at: number): InstancePatch {
  const reason = new StoreError(`The database refused what instance ${id} wrote: ${messageOf(cause)}`, { cause });
  return { event: "fail", at, error: encodeThrown(reason), compensationErrors: null };
}

/** The end of one whose rollback has come to this. */
export function patchForRollback(verdict: Verdict, outcome: Outcome, at: number): InstancePatch {
  return outcome.type === "returned"
    ? patchForVerdict(verdict, outcome.value as readonly CompensationError[], at)
    : { event: "block", at, error: encodeThrown(outcome.error) };
}

/** Of a cancel only what the code has thrown beside it is told. */
function verdictOf(thrown: unknown, isCancelled: boolean): Verdict {
  if (!isCancelled) return { outcome: "failed", error: encodeThrown(thrown) };
  return { outcome: "cancelled", error: thrown instanceof CancelledError ? null : encodeThrown(thrown) };
}

/** Without its code nobody knows what there is to be undone: that is left to be done when the code is put right. */
function divergedPatch(error: Error, isCancelled: boolean, at: number): InstancePatch {
  if (!isCancelled) return { event: "block", at, error: encodeThrown(error) };
  const compensationErrors = encodeFailures([new CompensationError("of the workflow", "its code", 0, error)]);
  return { event: "cancel", at, error: encodeThrown(error), compensationErrors };
}

function patchForValue(value: unknown, at: number, { name, options }: AnyWorkflow, host: EndingHost): InstancePatch {
  const { environment, randomBytes, workerId } = host;
  const { maxValueBytes } = environment;
  if (!(value instanceof Recurrence)) {
    return { event: "complete", at, output: encode(value, `The result of workflow ${name}`, maxValueBytes) };
  }
  const input = encode(value.args, `The input of workflow ${name}`, maxValueBytes);
  const version = options.version ?? null;
  return { event: "recur", at, successor: { id: uuidv7(at, randomBytes(10)), input, version, workerId } };
}
