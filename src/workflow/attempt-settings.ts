import type { Duration } from "../core/duration.ts";
import type { RetryPolicy } from "../core/retry.ts";

/** What can be said of an activity, and overridden for one call. */
export interface AttemptSettings {
  /** Overrides fields of the wider policies; `false` for one attempt. */
  readonly retry?: RetryPolicy | false;
  /** Limit of each attempt. Default: none. */
  readonly timeout?: Duration;
}
