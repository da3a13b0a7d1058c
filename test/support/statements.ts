import { openSqlite } from "../../src/drivers/sqlite.ts";
import type { Dialect } from "../../src/store/dialect.ts";

/** SQLite's dialect, as its driver gives it. */
export async function sqliteDialect(): Promise<Dialect> {
  const database = await openSqlite(":memory:");
  await database.close();
  return database.dialect;
}
