import { UnsupportedDatabaseError } from "../core/errors.ts";
import { openSqlite } from "../drivers/sqlite.ts";
import type { Database } from "../store/database.ts";

/**
 * The database behind a URL or path.
 *
 * @throws UnsupportedDatabaseError
 */
export async function openDatabase(url: string): Promise<Database> {
  const path = sqlitePath(url);
  if (path === undefined) {
    throw new UnsupportedDatabaseError(
      `This version of romancy cannot use ${schemeOf(url)} databases. ` +
        'Use SQLite: a file such as "workflow.db", "file:workflow.db" or "sqlite:workflow.db", or ":memory:".',
    );
  }
  try {
    return await openSqlite(path);
  } catch (cause) {
    if (cause instanceof UnsupportedDatabaseError) throw cause;
    const message = `The SQLite database ${path} cannot be opened. Check that its folder exists and can be written to.`;
    throw new UnsupportedDatabaseError(message, { cause });
  }
}

/** A scheme has two letters or more, so that `C:\data\workflow.db` is a path. */
const SCHEME = /^([a-z][a-z0-9+.-]+):/i;

function schemeOf(url: string): string {
  return SCHEME.exec(url)?.[1] ?? url;
}

function sqlitePath(url: string): string | undefined {
  const scheme = SCHEME.exec(url)?.[1]?.toLowerCase();
  if (scheme === undefined) return url;
  if (scheme !== "file" && scheme !== "sqlite" && scheme !== "sqlite3") return undefined;
  // `file:x.db`, `file:///tmp/x.db` and `sqlite://x.db` are all in use.
  const path = url.slice(scheme.length + 1).replace(/^\/\//, "");
  return path === "" ? ":memory:" : decodeURIComponent(path);
}
