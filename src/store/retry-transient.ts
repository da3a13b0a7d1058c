import type { Database } from "./database.ts";

/** Tries in all; what takes longer is the caller's to decide. */
const TRIES = 5;

/** The longest wait between two tries, in milliseconds; a random one up to this. */
const LONGEST_WAIT = 40;

/** Does work that may be done twice again when the database's state was against it: a deadlock, a lost connection. */
export async function retryTransient<T>(database: Database, work: () => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await work();
    } catch (error) {
      if (tried === TRIES || !database.isTransient(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * LONGEST_WAIT));
    }
  }
}
