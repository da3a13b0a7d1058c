/** What was looked at, and how it is. */
export interface Finding {
  /** What was looked at, such as `schema` or `clock`. */
  readonly check: string;
  /** `warning`: it works, and worse than it could, or something waits for a person. `problem`: it does not work. */
  readonly status: "ok" | "warning" | "problem";
  readonly message: string;
  /** What to do; `undefined` when all is well. */
  readonly advice: string | undefined;
}

export function ok(check: string, message: string): Finding {
  return { check, status: "ok", message, advice: undefined };
}

export function warning(check: string, message: string, advice: string): Finding {
  return { check, status: "warning", message, advice };
}

export function problem(check: string, message: string, advice: string): Finding {
  return { check, status: "problem", message, advice };
}
