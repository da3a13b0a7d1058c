import { RomancyError } from "../core/errors.ts";

/** Thrown when a closed database is used. */
export class ClosedError extends Error {
  constructor() {
    super("The database is closed.");
    this.name = "ClosedError";
  }
}

/** Whether the error comes from the database or the way to it, and not from a mistake in this program. */
export function isOutside(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof ClosedError || error instanceof RomancyError) return false;
  return !(error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError);
}
