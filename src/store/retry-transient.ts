import type { Database } from "./database.ts";
import type { Queries } from "./runner.ts";

/** Tries in all; what takes longer is the caller's to decide. */
const TRIES = 5;

/** Milliseconds after which it is not tried again: what was so slow would be again, and make all others slower. */
const LONGEST = 5_000;

/** The longest wait between two tries, in milliseconds; a random one up to this. */
const LONGEST_WAIT = 40;

/** Does work that may be done twice again when the database's state was against it: a deadlock, a lost connection. */
export async function retryTransient<T>(database: Database, work: () => Promise<T>): Promise<T> {
  const begun = performance.now();
  for (let tried = 1; ; tried++) {
    try {
      return await work();
    } catch (error) {
      if (tried === TRIES || performance.now() - begun > LONGEST || !database.isTransient(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * LONGEST_WAIT));
    }
  }
}

/** The same queries, each retried: for single statements that may be done twice. */
export function retrying(database: Database, queries: Queries): Queries {
  return {
    all: (statement, params) => retryTransient(database, () => queries.all(statement, params)),
    run: (statement, params) => retryTransient(database, () => queries.run(statement, params)),
  };
}
