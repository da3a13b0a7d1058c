/** Steps that leave a trail of what was done and undone. */
import { beforeEach, expect } from "vitest";
import {
  type CompensationContext,
  defineActivity,
  defineCompensation,
  type WorkflowFailedError,
} from "../../src/index.ts";

/** What has been done and undone, in order; empty when a test begins. */
export const trail: string[] = [];

beforeEach(() => {
  trail.length = 0;
});

export const step = defineActivity("step", (_, name: string) => void trail.push(`do ${name}`), {
  compensation: (_, name) => void trail.push(`undo ${name}`),
});

const undoMaking = defineCompensation("undo_step", (ctx: CompensationContext<{ made: string }>, name: string) => {
  trail.push(`undo ${name} (${ctx.result.made})`);
});

/** A step that gives something, which its compensation knows. */
export const making = defineActivity(
  "step",
  (_, name: string) => {
    trail.push(`do ${name}`);
    return { made: name.toUpperCase() };
  },
  { compensation: undoMaking },
);

/** Why it failed. */
export async function failureOf(result: Promise<unknown>): Promise<WorkflowFailedError> {
  return result.then(
    () => expect.fail("it did not fail"),
    (error: WorkflowFailedError) => error,
  );
}
