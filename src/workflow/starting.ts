import type { WorkflowHandle } from "./handle.ts";

export interface StartOptions {
  /** The instance's id, at most 200 characters. Starting it twice with equal input starts it once. Default: a UUIDv7. */
  readonly id?: string;
  /** Small labels to find instances by. */
  readonly tags?: Readonly<Record<string, string>>;
  /**
   * When more work is due than workers can take, each point lets the instance be taken as if it had waited one second
   * longer. A whole number from 0, the default, to 1,000,000; nothing is starved for ever.
   */
  readonly priority?: number;
  /**
   * Of a child: whether it goes on when its parent fails or is cancelled, and is not undone with it. Default `false`.
   */
  readonly detached?: boolean;
}

/** A defined workflow; all that its context needs to know of it. */
export interface Startable {
  readonly name: string;
  readonly options: object;
  readonly fn: (...args: never) => unknown;
}

/** What can start workflows: an app, or a workflow, whose children they are. */
export interface WorkflowStarter {
  /** The engine's door; not for users. */
  readonly "~start": (
    workflow: Startable,
    options: StartOptions,
    args: readonly unknown[],
  ) => Promise<WorkflowHandle<unknown>>;
}
