import { StoreError, UnsupportedDatabaseError } from "../core/errors.ts";
import { openMysql } from "../drivers/mysql/database.ts";
import { openPostgres } from "../drivers/postgres/database.ts";
import { openSqlite } from "../drivers/sqlite.ts";
import type { Database } from "../store/database.ts";
import type { ResolvedOptions } from "./options.ts";
import type { Seams } from "./seams.ts";

type DatabaseOptions = Pick<ResolvedOptions, "database" | "pool" | "naming" | "seams">;

/**
 * The database behind a URL, a path, or a pool of the user's.
 *
 * @throws UnsupportedDatabaseError
 */
export function openDatabase(options: DatabaseOptions): Promise<Database> {
  return options.seams.open(() => open(options));
}

async function open({ database, pool, naming, seams }: DatabaseOptions): Promise<Database> {
  if (typeof database !== "string") {
    return "getConnection" in database ? openMysql(database, {}, naming) : openPostgres(database, {}, naming);
  }
  const scheme = SCHEME.exec(database)?.[1]?.toLowerCase();
  switch (scheme) {
    case undefined:
      return openFile(database, naming, seams);
    case "file":
    case "sqlite":
    case "sqlite3":
      return openFile(pathOf(database, scheme), naming, seams);
    case "postgres":
    case "postgresql":
      return reached("PostgreSQL", openPostgres(database, pool, naming));
    case "mysql":
    case "mariadb":
      return reached("MySQL", openMysql(database, pool, naming));
    default:
      throw new UnsupportedDatabaseError(
        `romancy cannot use ${scheme} databases. Use a SQLite file such as "workflow.db" or "sqlite:workflow.db", ` +
          '":memory:", or a URL that begins with postgres://, postgresql://, mysql:// or mariadb://.',
      );
  }
}

/** A scheme has two letters or more, so that `C:\data\workflow.db` is a path. */
const SCHEME = /^([a-z][a-z0-9+.-]+):/i;

async function openFile(path: string, naming: DatabaseOptions["naming"], { clock }: Seams): Promise<Database> {
  try {
    return await openSqlite(path, naming, clock && (() => clock.now()));
  } catch (cause) {
    if (cause instanceof UnsupportedDatabaseError) throw cause;
    const message = `The SQLite database ${path} cannot be opened. Check that its folder exists and can be written to.`;
    throw new UnsupportedDatabaseError(message, { cause });
  }
}

/** `file:x.db`, `file:///tmp/x.db` and `sqlite://x.db` are all in use. */
function pathOf(url: string, scheme: string): string {
  const path = url.slice(scheme.length + 1).replace(/^\/\//, "");
  return path === "" ? ":memory:" : decodeURIComponent(path);
}

async function reached(name: string, opening: Promise<Database>): Promise<Database> {
  try {
    return await opening;
  } catch (cause) {
    if (cause instanceof UnsupportedDatabaseError) throw cause;
    const reason = cause instanceof Error ? cause.message || cause.name : String(cause);
    const message = `The ${name} database cannot be reached: ${reason}. Check the URL, and that the server runs.`;
    throw new StoreError(message, { cause });
  }
}
