/** Time and randomness, so that tests can bring their own. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** A number from 0 up to, but not including, 1. */
  random(): number;
  /** Calls back once the time has come; at once when it has passed. Returns a function that calls it off. */
  at(time: number, callback: () => void): () => void;
}

/** The longest a timer of Node can wait; longer waits are made of several. */
const LONGEST_TIMER = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: Date.now,
  random: Math.random,
  at(time, callback) {
    let timer: NodeJS.Timeout;
    const arm = (): void => {
      const wait = time - Date.now();
      // Timers of Node may fire a millisecond early by the wall clock; then the rest is waited for.
      timer = wait > 0 ? setTimeout(arm, Math.min(wait, LONGEST_TIMER)) : setTimeout(callback, 0);
    };
    arm();
    return () => clearTimeout(timer);
  },
};
