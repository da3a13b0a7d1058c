import { UnsupportedDatabaseError } from "../core/errors.ts";
import type { Database } from "../store/database.ts";

/** The database, once it is known to be fit; closed when it is not. */
export async function checked<Of extends Database & { check(): Promise<void> }>(database: Of): Promise<Of> {
  try {
    await database.check();
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}

/**
 * @param limit the most connections of the pool
 * @param kept those that the engine keeps of them
 * @throws UnsupportedDatabaseError when none is left for users' transactions
 */
export function checkPoolSize(limit: number | undefined, kept: number): void {
  if (limit === undefined || limit > kept) return;
  throw new UnsupportedDatabaseError(
    `The pool has ${limit} connections at most; romancy keeps ${kept} for itself. Allow ${kept + 1} or more.`,
  );
}
