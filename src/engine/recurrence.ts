import type { InstancePatch } from "../core/commit.ts";
import { MisplacedCallError } from "../core/errors.ts";
import type { Claim } from "../store/store.ts";

/** What `ctx.recur` gives, for the workflow to return: the instance goes on as another with these arguments. */
export class Recurrence {
  readonly args: readonly unknown[];

  constructor(args: readonly unknown[]) {
    this.args = args;
  }
}

/** The claim of the instance that one goes on as: this worker's from its birth. */
export function successorOf(claim: Claim, { at, successor }: RecurPatch, signals: number): Claim {
  const { id, input } = successor;
  return { ...claim, id, input, epoch: 1, signals, recoveries: 0, createdAt: at, cancel: undefined };
}

type RecurPatch = Extract<InstancePatch, { readonly event: "recur" }>;

/** @throws MisplacedCallError when the workflow has called `recur` and returned something else */
export function checkReturned(result: unknown, asked: Recurrence | undefined): void {
  if (asked === undefined || result === asked) return;
  throw new MisplacedCallError(
    "The workflow called `ctx.recur` and did not return what it gave. Write `return ctx.recur(...)`.",
  );
}
