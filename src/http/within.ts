import { Problem } from "./replies.ts";

/**
 * The answer, or a 500 when it takes longer than so many milliseconds. The work goes on and has to look at the signal
 * where it must not.
 */
export async function within<T>(milliseconds: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const error = new Problem(500, "TimeoutError", `The request could not be handled within ${milliseconds} ms.`);
    controller.abort(error);
    reject(error);
  }, milliseconds);
  // It may throw before it has a promise.
  const working = (async () => work(controller.signal))();
  // What it comes to when it is late is nobody's business.
  working.catch(() => {});
  try {
    return await Promise.race([working, late]);
  } finally {
    clearTimeout(timer);
  }
}
