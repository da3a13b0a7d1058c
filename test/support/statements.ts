import { openSqlite } from "../../src/drivers/sqlite.ts";
import type { Dialect } from "../../src/store/dialect.ts";
import { DEFAULT_NAMING } from "../../src/store/naming.ts";

/** SQLite's dialect, as its driver gives it. */
export async function sqliteDialect(): Promise<Dialect> {
  const database = await openSqlite(":memory:", DEFAULT_NAMING);
  await database.close();
  return database.dialect;
}
