/** Where `romancy/testing` takes hold of an app; not for users. */
import type { Change } from "../core/commit.ts";
import type { Database } from "../store/store.ts";
import type { ActivityContext } from "../workflow/activity-context.ts";
import type { WorkflowContext } from "../workflow/workflow-context.ts";
import type { Clock } from "./clock.ts";
import type { ProcessIdentity } from "./process-identity.ts";

/** A definition, as far as it is to be run. */
interface Definition {
  readonly name: string;
  readonly fn: (ctx: never, ...args: never) => unknown;
}

export interface Seams {
  /** Time as workflows see it, and on SQLite the database's. Default: the real one. */
  readonly clock?: Clock;
  /** What other workers are to take this process for. Default: what it is. */
  readonly identity?: ProcessIdentity;
  /** Opens the database, or gives another in its place. */
  readonly open: (open: () => Promise<Database>) => Promise<Database>;
  /** Runs the body of an activity or a compensation. */
  readonly activity: (definition: Definition, ctx: ActivityContext, args: readonly unknown[]) => unknown;
  /** Runs the code of a workflow. */
  readonly workflow: (definition: Definition, ctx: WorkflowContext, args: readonly unknown[]) => unknown;
  /** Writes a transaction of changes. Rejects when the app was killed, before or after it was written. */
  readonly commit: <Result>(changes: readonly Change[], write: () => Promise<Result>) => Promise<Result>;
}

/** Everything as it is. */
export const NO_SEAMS: Seams = {
  open: (open) => open(),
  activity: ({ fn }, ctx, args) => fn(ctx as never, ...(args as never)),
  workflow: ({ fn }, ctx, args) => fn(ctx as never, ...(args as never)),
  commit: (_, write) => write(),
};

/** What a started app has to do at this moment. */
export interface Load {
  /** Attempts of activities that are under way. */
  readonly attempts: number;
  /** Whether anything else goes on by itself: a turn, a commit, a claim, a look at the database, a call of a broker. */
  readonly isMoving: boolean;
}
