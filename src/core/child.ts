/** How an instance has ended, as its parent and its starters are told. */
import { encodeThrown } from "./codec.ts";
import { CancelledError, type CompensationError, WorkflowFailedError } from "./outcome-errors.ts";

/** Values are encoded text. */
export interface InstanceEnding {
  readonly status: string;
  readonly output: string | null;
  readonly error: string | null;
  readonly cancelReason: string | null;
  /** A JSON list of encoded values. */
  readonly compensationErrors: string | null;
}

/** One text that holds it. */
export function encodeEnding({ status, output, error, cancelReason, compensationErrors }: InstanceEnding): string {
  const [outputValue, errorValue, failures] = [output, error, compensationErrors].map(parsed);
  return JSON.stringify({ status, output: outputValue, error: errorValue, cancelReason, compensationErrors: failures });
}

/** What `encodeEnding` made. */
export function decodeEnding(text: string): InstanceEnding {
  const ending = JSON.parse(text) as Record<"output" | "error" | "compensationErrors", unknown> &
    Pick<InstanceEnding, "status" | "cancelReason">;
  const { status, cancelReason, output, error, compensationErrors } = ending;
  return {
    status,
    cancelReason,
    output: textOf(output),
    error: textOf(error),
    compensationErrors: textOf(compensationErrors),
  };
}

/**
 * What is thrown to those who wait for an instance that has not completed.
 *
 * @param read gives the value of encoded text
 */
export function failureOf(
  workflow: string,
  id: string,
  { status, error, cancelReason, compensationErrors }: InstanceEnding,
  read: (text: string) => unknown,
): WorkflowFailedError {
  const thrown = error === null ? undefined : read(error);
  const failures = failuresOf(compensationErrors, read);
  if (status !== "cancelled") return new WorkflowFailedError(workflow, id, thrown, failures);
  const cancelled = new CancelledError(id, cancelReason ?? undefined);
  // What its code threw beside.
  if (thrown !== undefined) cancelled.cause = thrown;
  return new WorkflowFailedError(workflow, id, cancelled, failures);
}

/** Compensations that failed for good, each with what it says and what lay beneath, whatever that was. */
export function encodeFailures(failures: readonly CompensationError[]): string | null {
  if (failures.length === 0) return null;
  return JSON.stringify(failures.map((failure) => JSON.parse(encodeThrown(failure)) as unknown));
}

/** What `encodeFailures` made. */
export function failuresOf(list: string | null, read: (text: string) => unknown): CompensationError[] {
  if (list === null) return [];
  return (JSON.parse(list) as unknown[]).map((error) => read(JSON.stringify(error)) as CompensationError);
}

/** `null` stands for nothing; a value that is `null` is in a list of its own. */
function parsed(text: string | null): readonly [unknown] | null {
  return text === null ? null : [JSON.parse(text)];
}

function textOf(value: unknown): string | null {
  return value === null ? null : JSON.stringify((value as readonly [unknown])[0]);
}
