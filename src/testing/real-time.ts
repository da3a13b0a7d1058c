/** This machine's timers, taken when the kit is loaded: a test may fake them later. */
const { setImmediate, setTimeout } = globalThis;
const now: () => number = globalThis.performance.now.bind(globalThis.performance);

/** Resolves in a later macrotask. */
export function macrotask(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** How long others may keep this process busy until they are waited for with rests, in milliseconds. */
const RESTLESS = 20;

/** Resolves when the condition holds, which is looked at in each macrotask, and ever more seldom when that takes long. */
export async function until(condition: () => boolean): Promise<void> {
  const begun = now();
  do {
    await macrotask();
    if (now() - begun > RESTLESS) {
      await new Promise((resolve) => {
        setTimeout(resolve, 1);
      });
    }
  } while (!condition());
}
