/** What is done with a database beside a running app, on connections of its own. */
import type { Database } from "../store/database.ts";
import { listMigrations } from "../store/migrate.ts";
import { SqlStore } from "../store/sql-store.ts";
import { fileOf, openDatabase } from "./open-database.ts";
import { diagnose } from "./operating/diagnose.ts";
import type { Finding } from "./operating/finding.ts";
import type { ResolvedOptions } from "./options.ts";

/** @param creates whether a SQLite file is made when it does not exist */
export async function withDatabase<T>(
  options: ResolvedOptions,
  creates: boolean,
  work: (database: Database) => Promise<T>,
): Promise<T> {
  const database = await openDatabase({ ...options, creates });
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

/** Never rejects. */
export function diagnoseDatabase(options: ResolvedOptions): Promise<readonly Finding[]> {
  return diagnose({
    file: fileOf(options.database),
    open: () => openDatabase({ ...options, creates: false }),
    migrations: listMigrations,
    storeOf: (database) => new SqlStore(database),
  });
}
