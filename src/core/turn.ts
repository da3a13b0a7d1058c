import type { HistoryEvent } from "./history.ts";
import type { Operation } from "./operation.ts";

/** How the code ended. */
export type Outcome =
  | { readonly type: "returned"; readonly value: unknown }
  | { readonly type: "threw"; readonly error: unknown }
  /** It cannot go on from its history: the code is another, or the record cannot be read. */
  | { readonly type: "diverged"; readonly error: Error };

/** What one advance of the code came to. */
export interface Turn<Request> {
  /** New events, in order of `seq`, to be made durable. */
  readonly events: readonly HistoryEvent[];
  /** Operations the code newly asked for that have no completion yet. */
  readonly requested: readonly Operation<Request>[];
  /** Set once, by the turn in which the code ended. */
  readonly outcome: Outcome | undefined;
}
