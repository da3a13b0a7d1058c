/** Stores on the test's database, without an app. */
import { afterEach } from "vitest";
import { openDatabase } from "../../src/engine/open-database.ts";
import { NO_SEAMS } from "../../src/engine/seams.ts";
import type { Connection, Database } from "../../src/store/database.ts";
import { migrate } from "../../src/store/migrate.ts";
import { DEFAULT_NAMING, type Naming } from "../../src/store/naming.ts";
import { Runner } from "../../src/store/runner.ts";
import { SqlStore } from "../../src/store/sql-store.ts";
import { testDatabase } from "../support/apps.ts";

const opened: Database[] = [];

afterEach(async () => {
  for (const database of opened.splice(0)) await database.close();
});

/** The test's database, opened and migrated; closed after the test. */
export async function openTestDatabase(naming: Naming = DEFAULT_NAMING): Promise<Database> {
  const database = await openDatabase({ database: testDatabase().url, pool: {}, naming, seams: NO_SEAMS });
  opened.push(database);
  await migrate(database);
  return database;
}

export interface OpenStore {
  readonly database: Database;
  readonly store: SqlStore;
  readonly runner: Runner;
  readonly reader: Connection;
}

export async function openStore(naming?: Naming): Promise<OpenStore> {
  const database = await openTestDatabase(naming);
  return { database, store: new SqlStore(database), runner: new Runner(database), reader: database.reader };
}
