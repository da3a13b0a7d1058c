import { clearTimeout, setTimeout } from "./machine-time.ts";

/** Resolves with whether the promise settles within so many milliseconds; rejects when it rejects within them. */
export async function settlesWithin(milliseconds: number, promise: Promise<unknown>): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(resolve, milliseconds, false);
  // What it comes to later is nobody's business.
  promise.catch(() => {});
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
