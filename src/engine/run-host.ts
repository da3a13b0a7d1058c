import type { InstancePatch } from "../core/commit.ts";
import type { Claim } from "../store/store.ts";
import type { AnyWorkflow } from "../workflow/workflow.ts";
import type { TaskHost } from "./activity-task.ts";
import type { ContextOptions } from "./requests.ts";
import type { TurnQueue } from "./turn-queue.ts";

/** The epoch of an instance's first owner: it has no history yet. */
export const FIRST_EPOCH = 1;

/** What a run needs from its worker. */
export interface RunHost<Run> extends TaskHost {
  readonly turns: TurnQueue;
  readonly randomBytes: ContextOptions["randomBytes"];
  readonly workerId: string;
  /** Whether this worker can run the workflow. */
  knows(workflow: AnyWorkflow): boolean;
  /** Whether the channel has messages to be taken. */
  hasMessages(channel: string): Promise<boolean>;
  /** It only waits, durably, until `wakeAt` in epoch milliseconds, or for messages alone. */
  onParked(run: Run, wakeAt: number | null): void;
  /** It goes on as another instance, durably, which is this worker's. */
  onRecurred(run: Run, successor: Claim): void;
  /** It has ended, durably. */
  onEnded(run: Run, patch: InstancePatch): void;
  /** It has got further than those whose workers died, durably. */
  onForgiven(run: Run): void;
  /** It is not run here any more. */
  onDropped(run: Run): void;
}
