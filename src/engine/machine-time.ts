/**
 * This machine's timers and clocks as they are when the engine is loaded, whatever a test's tools put in their place later:
 * an app goes on working while timers are faked. Time that workflows see is the `Clock`'s.
 */
export const setTimeout: typeof globalThis.setTimeout = globalThis.setTimeout;
export const clearTimeout: typeof globalThis.clearTimeout = globalThis.clearTimeout;
export const setInterval: typeof globalThis.setInterval = globalThis.setInterval;
export const clearInterval: typeof globalThis.clearInterval = globalThis.clearInterval;
export const setImmediate: typeof globalThis.setImmediate = globalThis.setImmediate;

/** The monotonic clock, in milliseconds. */
export const performance: { readonly now: () => number } = {
  now: globalThis.performance.now.bind(globalThis.performance),
};

/** Epoch milliseconds. */
export const wallClock: () => number = Date.now;
