/** How the end of a workflow's code becomes the end of its instance, or the beginning of the next one. */
import { encode, encodeThrown } from "../core/codec.ts";
import type { InstancePatch } from "../core/commit.ts";
import type { Outcome } from "../core/execution.ts";
import { uuidv7 } from "../core/uuid.ts";
import { Recurrence } from "./recurrence.ts";

export interface EndingEnvironment {
  readonly workflow: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly maxValueBytes: number;
  readonly randomBytes: (count: number) => Uint8Array;
  /** Who runs what the instance goes on as. */
  readonly workerId: string;
}

/** What is written of it; a result that cannot be stored fails the instance. */
export function patchFor(outcome: Outcome, environment: EndingEnvironment): InstancePatch {
  const { at } = environment;
  if (outcome.type === "diverged") return { event: "block", at, error: encodeThrown(outcome.error) };
  if (outcome.type === "threw") return { event: "fail", at, error: encodeThrown(outcome.error) };
  try {
    return patchForValue(outcome.value, environment);
  } catch (error) {
    return { event: "fail", at, error: encodeThrown(error) };
  }
}

function patchForValue(
  value: unknown,
  { workflow, at, maxValueBytes, randomBytes, workerId }: EndingEnvironment,
): InstancePatch {
  if (!(value instanceof Recurrence)) {
    return { event: "complete", at, output: encode(value, `The result of workflow ${workflow}`, maxValueBytes) };
  }
  const input = encode(value.args, `The input of workflow ${workflow}`, maxValueBytes);
  return { event: "recur", at, successor: { id: uuidv7(at, randomBytes(10)), input, workerId } };
}
