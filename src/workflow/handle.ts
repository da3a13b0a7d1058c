import type { Duration } from "../core/duration.ts";
import type { CompensationError } from "../core/errors.ts";
import type { ChannelMode } from "../core/history.ts";
import type { InstanceStatus } from "../core/status.ts";

/** One instance, seen from outside. */
export interface WorkflowHandle<Result> {
  readonly id: string;
  /**
   * Waits until the workflow has ended and gives what it returned.
   *
   * @throws WorkflowFailedError when it failed, and its `cause` is what the workflow threw, or was cancelled, and its
   *   `cause` is a `CancelledError`
   * @throws ResultTimeoutError when `timeout` passes first; the instance goes on
   * @throws InstanceNotFoundError
   */
  result(options?: { readonly timeout?: Duration }): Promise<Result>;
  /** @throws InstanceNotFoundError */
  status(): Promise<InstanceStatus>;
  /** @throws InstanceNotFoundError */
  describe(): Promise<InstanceDescription>;
  /**
   * Cancels the instance: it undoes what it has done, and ends as `cancelled`. Resolves when the request is durable: from
   * then on it counts, whatever happens. A second one changes nothing.
   *
   * @param reason kept with the instance
   * @throws InstanceNotFoundError
   * @throws InstanceNotCancellableError when it has ended otherwise, or has failed and is being compensated
   */
  cancel(reason?: string): Promise<void>;
}

/** What an instance waits for. */
export type WaitDescription =
  | { readonly kind: "timer" | "retry"; readonly operationId: string; readonly until: Date }
  | {
      readonly kind: "event";
      /** The operation's id, such as `wait_event:1`. */
      readonly operationId: string;
      /** `undefined` when it waits for as long as it takes. */
      readonly until: Date | undefined;
      readonly types: readonly string[];
      readonly key: string | undefined;
    }
  | {
      readonly kind: "channel";
      /** The operation's id, such as `receive:1`. */
      readonly operationId: string;
      /** `undefined` when it waits for as long as it takes. */
      readonly until: Date | undefined;
      readonly channel: string;
      readonly mode: ChannelMode;
    }
  | {
      readonly kind: "child";
      readonly operationId: string;
      /** `undefined` when it waits for as long as it takes. */
      readonly until: Date | undefined;
      readonly childId: string;
      readonly workflow: string;
    };

/** All that is known of an instance, but for its history. */
export interface InstanceDescription extends InstanceSummary {
  /** The arguments it was started with. */
  readonly input: readonly unknown[];
  /** What it returned; only when `completed`. */
  readonly output?: unknown;
  /** Why it is `failed`, `compensating` or `blocked`; when `cancelled`, what its code threw beside. */
  readonly error?: unknown;
  /** Compensations that failed for good, in the order in which they ran; see `app.retryCompensations`. */
  readonly compensationErrors: readonly CompensationError[];
  /** What it waits for, when `waiting`, soonest first. */
  readonly waitingFor: readonly WaitDescription[];
}

/** An instance as a listing shows it. */
export interface InstanceSummary {
  readonly id: string;
  readonly workflow: string;
  readonly status: InstanceStatus;
  readonly tags: Readonly<Record<string, string>>;
  readonly priority: number;
  /** What the workflow's option `version` said when the instance began. */
  readonly version: string | undefined;
  /** The instance that went on as this one. */
  readonly continuedFrom: string | undefined;
  /** The instance that has started it as a child. */
  readonly parentId: string | undefined;
  /** The first of its line of parents; itself when it has none. */
  readonly rootId: string;
  /** When it was asked that it be cancelled. */
  readonly cancelRequestedAt: Date | undefined;
  readonly cancelReason: string | undefined;
  /** The worker that runs it now. */
  readonly workerId: string | undefined;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly completedAt: Date | undefined;
}
