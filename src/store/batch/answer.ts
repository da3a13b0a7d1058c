import type { NewEvent } from "../../core/history.ts";

/** What came of an action. */
export interface Answer {
  /** `undefined` when nothing is to be recorded. */
  readonly event: NewEvent | undefined;
  /** How many instances were sent something, or called. */
  readonly receivers: number;
  /** The channel of a message that none of them was for. */
  readonly unheard?: string | undefined;
}
