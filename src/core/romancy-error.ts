/**
 * The base of every error Romancy raises. `code` is stable and safe to branch on; `message` says what happened, to
 * what, and what to do; `cause` keeps what lay beneath.
 */
export class RomancyError extends Error {
  /** Stable, upper-case, never reused for another meaning. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** The message of whatever was thrown. */
export function messageOf(thrown: unknown): string {
  return describe(thrown instanceof Error ? thrown.message || thrown.name : thrown);
}

/** The text of any value; never throws. */
export function describe(value: unknown): string {
  try {
    return String(value);
  } catch {
    return typeof value;
  }
}

/** What was thrown, or an error in its place when not even its kind can be told: of a proxy that was revoked. */
export function readable(thrown: unknown): unknown {
  try {
    void (thrown instanceof Error);
    return thrown;
  } catch {
    return new Error("What was thrown cannot be read.");
  }
}
