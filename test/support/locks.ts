import { testDatabase } from "./apps.ts";
import { databaseKind } from "./database.ts";

/** The locks of the workers there are, in the order of their ids. */
export async function lockNames(): Promise<unknown[]> {
  const rows = await testDatabase().rows("select lock_name from romancy_workers order by id");
  return rows.map((row) => row["lock_name"]);
}

/** Ends the connection that holds the lock, from outside. */
export async function terminateHolder(lock: string): Promise<void> {
  if (databaseKind === "postgres") {
    await testDatabase().rows(
      `select pg_terminate_backend(pid) from pg_locks
       where locktype = 'advisory' and objsubid = 1 and database = (select oid from pg_database where datname = current_database())
         and ((classid::bigint << 32) | objid::bigint) = hashtextextended(?, 0)`,
      [lock],
    );
    return;
  }
  const [row] = await testDatabase().rows("select is_used_lock(?) as id", [lock]);
  await testDatabase().exec(`kill ${String(row?.["id"])}`);
}
