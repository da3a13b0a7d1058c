import { testDatabase } from "./apps.ts";
import { databaseKind } from "./database.ts";
import { processList, waitingFor } from "./databases/mysql.ts";

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

/** Milliseconds; what is asked for more often than each 100 shows no news (INNODB_TRX is kept while it is read). */
const LOOK_AFTER = 120;

/** Whether an app waits for a lock of a row. */
export async function isWaiting(): Promise<boolean> {
  return (await waiting()) > 0;
}

/** How many connections do so; on MySQL one may be counted twice that waits for two. */
export async function waiting(): Promise<number> {
  if (databaseKind === "postgres") {
    const all = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    return (await testDatabase().rows(all)).length;
  }
  await new Promise((resolve) => setTimeout(resolve, LOOK_AFTER));
  return (await testDatabase().rows(waitingFor(databaseKind).replace("?", "database()"))).length;
}

/** Whether somebody holds the lock. */
export async function isHeld(lock: string): Promise<boolean> {
  const holder =
    databaseKind === "postgres"
      ? `select pid as id from pg_locks
         where locktype = 'advisory' and objsubid = 1 and database = (select oid from pg_database where datname = current_database())
           and ((classid::bigint << 32) | objid::bigint) = hashtextextended(?, 0)`
      : "select is_used_lock(?) as id";
  const [row] = await testDatabase().rows(holder, [lock]);
  return (row?.["id"] ?? null) !== null;
}

/** All connections that apps have. */
export async function connections(): Promise<number[]> {
  const all =
    databaseKind === "postgres"
      ? "select pid as id from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'"
      : `select id from ${processList(databaseKind)} where db = database() and id <> connection_id()`;
  return (await testDatabase().rows(all)).map(({ id }) => Number(id));
}

/** Ends the connections, from outside; those that are gone already are no matter. */
export async function terminate(ids: readonly number[]): Promise<void> {
  for (const id of ids) {
    if (databaseKind === "postgres") await testDatabase().rows(`select pg_terminate_backend(${id})`);
    else
      await testDatabase()
        .exec(`kill ${id}`)
        .catch(() => {});
  }
}
