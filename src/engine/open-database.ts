import { existsSync } from "node:fs";
import { messageOf, SchemaVersionError, StoreError, UnsupportedDatabaseError } from "../core/errors.ts";
import { openMysql } from "../drivers/mysql/database.ts";
import { openPostgres } from "../drivers/postgres/database.ts";
import { openSqlite } from "../drivers/sqlite.ts";
import type { Database } from "../store/database.ts";
import { kindOf, pathOf, schemeOf } from "./database-location.ts";
import type { ResolvedOptions } from "./options.ts";

type DatabaseOptions = Pick<ResolvedOptions, "database" | "pool" | "naming" | "seams"> & {
  /** Whether a SQLite file is made when it does not exist. Default `true`. */
  readonly creates?: boolean;
};

/**
 * The database behind a URL, a path, or a pool of the user's.
 *
 * @throws UnsupportedDatabaseError
 * @throws SchemaVersionError when there is no such file, and none is to be made
 */
export function openDatabase(options: DatabaseOptions): Promise<Database> {
  return options.seams.open(() => open(options));
}

async function open(options: DatabaseOptions): Promise<Database> {
  const { database, pool, naming } = options;
  if (typeof database !== "string") {
    return "getConnection" in database ? openMysql(database, {}, naming) : openPostgres(database, {}, naming);
  }
  switch (kindOf(database)) {
    case "sqlite":
      return openFile(pathOf(database), options);
    case "postgres":
      return reached("PostgreSQL", openPostgres(database, pool, naming));
    case "mysql":
      return reached("MySQL", openMysql(database, pool, naming));
    default:
      throw new UnsupportedDatabaseError(
        `romancy cannot use ${schemeOf(database)} databases. Use a SQLite file such as "workflow.db" or ` +
          '"sqlite:workflow.db", ":memory:", or a URL that begins with postgres://, postgresql://, mysql:// or mariadb://.',
      );
  }
}

/** The file of a SQLite database; `undefined` when the option names none. */
export function fileOf(database: ResolvedOptions["database"]): string | undefined {
  if (typeof database !== "string" || kindOf(database) !== "sqlite") return undefined;
  const path = pathOf(database);
  return path === ":memory:" ? undefined : path;
}

async function openFile(path: string, { naming, seams, creates = true }: DatabaseOptions): Promise<Database> {
  const { clock } = seams;
  if (!creates && path !== ":memory:" && !existsSync(path)) {
    throw new SchemaVersionError(
      `The SQLite database ${path} does not exist. Check the path. A new one is made by \`romancy migrate\`, by ` +
        "`app.migrate()`, and by an app that has `autoMigrate` on.",
    );
  }
  try {
    return await openSqlite(path, naming, clock && (() => clock.now()));
  } catch (cause) {
    if (cause instanceof UnsupportedDatabaseError) throw cause;
    const message =
      `The SQLite database ${path} cannot be opened: ${messageOf(cause)}. Check that it is the right file, and that its ` +
      "folder exists and can be written to.";
    throw new UnsupportedDatabaseError(message, { cause });
  }
}

async function reached(name: string, opening: Promise<Database>): Promise<Database> {
  try {
    return await opening;
  } catch (cause) {
    if (cause instanceof UnsupportedDatabaseError) throw cause;
    const message = `The ${name} database cannot be reached: ${messageOf(cause)}. Check the URL, and that the server runs.`;
    throw new StoreError(message, { cause });
  }
}
