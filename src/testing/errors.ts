import { RomancyError } from "../index.ts";

/** What a test waits for does not come by itself: nothing is left that time alone would bring about. */
export class StuckError extends RomancyError {
  constructor(message: string, options?: ErrorOptions) {
    super("STUCK", message, options);
  }
}
