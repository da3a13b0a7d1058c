/** Whether today's code still follows the histories of yesterday. */
import { type AnyWorkflow, type ReplayResult, Romancy } from "../index.ts";

export interface ReplayCheckOptions {
  /** Today's code. */
  readonly workflows: readonly AnyWorkflow[];
  /** What `app.exportHistory` gave, as it was or parsed from JSON. */
  readonly histories: Iterable<unknown>;
}

/**
 * Runs the workflows' code against exported histories, one after the other: with no database, and no activity is run. Made
 * for the tests of a project, so that a change that would block instances which are under way is seen before it is
 * deployed.
 *
 * @returns a result for each history, in their order
 * @throws ValidationError when one of them is not an export, or of a later form
 * @example
 * const results = await replayCheck({ workflows: [order], histories: [JSON.parse(readFileSync("order-1.json", "utf8"))] });
 * expect(results.filter(({ type }) => type !== "ok")).toEqual([]);
 */
export async function replayCheck({ workflows, histories }: ReplayCheckOptions): Promise<readonly ReplayResult[]> {
  // Never started: it only knows the workflows.
  const app = new Romancy({ database: ":memory:", workflows });
  const results: ReplayResult[] = [];
  for (const history of histories) results.push(await app["~replay"](history));
  return results;
}
