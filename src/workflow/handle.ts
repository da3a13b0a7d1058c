import type { Duration } from "../core/duration.ts";
import type { ChannelMode } from "../core/history.ts";
import type { InstanceStatus } from "../core/status.ts";

/** One instance, seen from outside. */
export interface WorkflowHandle<Result> {
  readonly id: string;
  /**
   * Waits until the workflow has ended and gives what it returned.
   *
   * @throws WorkflowFailedError when it failed; its `cause` is what the workflow threw
   * @throws ResultTimeoutError when `timeout` passes first; the instance goes on
   * @throws InstanceNotFoundError
   */
  result(options?: { readonly timeout?: Duration }): Promise<Result>;
  /** @throws InstanceNotFoundError */
  status(): Promise<InstanceStatus>;
  /** @throws InstanceNotFoundError */
  describe(): Promise<InstanceDescription>;
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
    };

/** All that is known of an instance, but for its history. */
export interface InstanceDescription extends InstanceSummary {
  /** The arguments it was started with. */
  readonly input: readonly unknown[];
  /** What it returned; only when `completed`. */
  readonly output?: unknown;
  /** Why it is `failed` or `blocked`. */
  readonly error?: unknown;
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
  /** The instance that went on as this one. */
  readonly continuedFrom: string | undefined;
  /** The worker that runs it now. */
  readonly workerId: string | undefined;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly completedAt: Date | undefined;
}
