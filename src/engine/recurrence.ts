import { MisplacedCallError } from "../core/errors.ts";

/** What `ctx.recur` gives, for the workflow to return: the instance goes on as another with these arguments. */
export class Recurrence {
  readonly args: readonly unknown[];

  constructor(args: readonly unknown[]) {
    this.args = args;
  }
}

/** @throws MisplacedCallError when the workflow has called `recur` and returned something else */
export function checkReturned(result: unknown, asked: Recurrence | undefined): void {
  if (asked === undefined || result === asked) return;
  throw new MisplacedCallError(
    "The workflow called `ctx.recur` and did not return what it gave. Write `return ctx.recur(...)`.",
  );
}
