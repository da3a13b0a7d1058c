/** What the worker process tells its parent, one JSON line each. */

interface OfActivity {
  readonly instanceId: string;
  readonly activityId: string;
  /** Counted from 1. */
  readonly attempt: number;
}

export type ProgressEvent =
  | { readonly event: "ready" }
  /** What Romancy itself has to say. */
  | { readonly event: "log"; readonly message: string; readonly data?: unknown }
  | (OfActivity & { readonly event: "began" })
  | (OfActivity & { readonly event: "ran" })
  | (OfActivity & { readonly event: "failed"; readonly error: string; readonly isFinal: boolean })
  | { readonly event: "waiting"; readonly instanceId: string; readonly milliseconds: number }
  | { readonly event: "finished"; readonly instanceId: string; readonly outcome: string };

/** `undefined` for a line that the kill cut off. */
export function parseEvent(line: string): ProgressEvent | undefined {
  try {
    return JSON.parse(line) as ProgressEvent;
  } catch {
    return undefined;
  }
}

/** `charge` for `charge:1`. */
export function nameOf(activityId: string): string {
  return activityId.replace(/:\d+$/, "");
}
