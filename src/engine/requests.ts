import type { ActionRequest, Membership } from "../core/action.ts";
import type { WaitFor } from "../core/history.ts";
import type { Saga } from "../core/saga.ts";
import type { Store } from "../store/store.ts";
import type { ActivityCallOptions, AnyActivity } from "../workflow/activity-options.ts";
import type { AnyCompensation } from "../workflow/compensation-options.ts";
import type { Logger } from "../workflow/logger.ts";
import type { AnyWorkflow } from "../workflow/workflow.ts";
import type { Cancellation } from "./cancellation.ts";
import type { Clock } from "./clock.ts";
import type { Seams } from "./seams.ts";

/** What workflow code asks the engine for. */
export type Request = ActivityRequest | TimerRequest | WaitRequest | ReceiveRequest | ActRequest;

export interface ActivityRequest {
  readonly type: "activity";
  readonly activity: AnyActivity;
  readonly call: ActivityCallOptions;
  readonly args: readonly unknown[];
  /** Set for one that undoes an operation. */
  readonly undoes?: Undone;
}

/** What a compensation undoes. */
interface Undone {
  readonly operationId: string;
  /** What came of it, as the activity returned it. */
  readonly result: unknown;
  /** Whether hooks and traces are to leave out what it took, and what came of it. */
  readonly isSensitive: boolean;
}

/** How an operation is undone: by a compensation, or as a child, by its own. */
export type Undo =
  | {
      readonly type: "compensation";
      readonly compensation: AnyCompensation;
      readonly args: readonly unknown[];
      /** Whether what it undoes is sensitive. */
      readonly isSensitive: boolean;
    }
  | { readonly type: "child"; readonly workflow: string };

interface TimerRequest {
  readonly type: "timer";
  /** Epoch milliseconds. */
  readonly fireAt: number;
}

interface WaitRequest {
  readonly type: "wait";
  readonly waitFor: WaitFor;
  /** Epoch milliseconds; `null` for none. */
  readonly deadline: number | null;
}

/** A wait for a message of a channel that the instance may have subscribed to. */
interface ReceiveRequest {
  readonly type: "receive";
  readonly channel: string;
  /** Epoch milliseconds; `null` for none. */
  readonly deadline: number | null;
}

interface ActRequest {
  readonly type: "action";
  readonly request: ActionRequest;
}

export interface ContextOptions {
  readonly app: object;
  readonly instanceId: string;
  readonly workflowName: string;
  /** What its children are started with, unless hooks have another; JSON, or `null` for nothing. */
  readonly traceContext: string | null;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told of what the history says that it has joined or left; only of an instance that was retried. */
  readonly onRejoined: ((membership: Membership) => void) | undefined;
  /** Filled by the engine's source of randomness. */
  readonly randomBytes: (count: number) => Uint8Array;
  readonly maxValueBytes: number;
  /** What can be undone. */
  readonly saga: Saga<Undo>;
  readonly cancellation: Cancellation;
  readonly store: Store;
  readonly seams: Pick<Seams, "workflow">;
  /** Whether the worker can run it. */
  readonly knows: (workflow: AnyWorkflow) => boolean;
}
