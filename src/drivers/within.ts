/**
 * The promise's outcome, or a rejection when it takes longer than so many milliseconds. The drivers' own limits leave
 * timers behind when the connection breaks.
 */
export async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = new Error(`There was no answer within ${milliseconds} ms.`);
      reject(Object.assign(error, { code: "ETIMEDOUT" }));
    }, milliseconds);
  });
  promise.catch(() => {});
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
