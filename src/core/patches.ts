/**
 * Patches: changes of workflow code that instances which are under way must not see.
 *
 * Invariants (P1 ...):
 * P1. The answer for an id is given once in a run, at the first question, and is the same from then on.
 * P2. `true` has a record, made at that moment, which every later replay finds: so it is `true` there wherever the
 *     question stands.
 * P3. `false` has no record. It is given only while the history holds something that is not delivered yet, or where the
 *     code is known to have ended. Both are so in every later replay: a history only grows, and the same deliveries come
 *     before the question.
 * P4. What follows from `true` takes effect only when its record is durable, as with any record. If a process dies before
 *     that, the question is asked anew, and nobody has seen the old answer.
 */
import type { Execution } from "./execution.ts";

export class Patches {
  readonly #execution: Pick<Execution<unknown>, "hasRecord" | "isReplaying" | "mark">;
  readonly #answers = new Map<string, boolean>();

  constructor(execution: Pick<Execution<unknown>, "hasRecord" | "isReplaying" | "mark">) {
    this.#execution = execution;
  }

  /**
   * Whether the code from the patch on is to run.
   *
   * @param at epoch milliseconds, for the record
   */
  patched(id: string, at: number): boolean {
    const known = this.#answers.get(id);
    if (known !== undefined) return known;
    const operationId = operationIdOf(id);
    // P2, P3
    const isPatched = this.#execution.hasRecord(operationId) || !this.#execution.isReplaying;
    if (isPatched) this.#execution.mark("patch", { kind: "patch_recorded", operationId, at, patch: id });
    this.#answers.set(id, isPatched);
    return isPatched;
  }

  /** Accepts the record where there is one, and makes none. */
  deprecate(id: string, at: number): void {
    if (this.#execution.hasRecord(operationIdOf(id))) this.patched(id, at);
  }
}

/** Not of the form `name:n`, so that no operation has it by chance. */
function operationIdOf(id: string): string {
  return `patched(${id})`;
}
