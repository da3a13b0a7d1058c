/** What the option `database` means; nothing is opened. */
import { ValidationError } from "../core/errors.ts";
import type { MysqlPool, PostgresPool } from "../store/store.ts";

type Given = string | PostgresPool | MysqlPool;

export type DatabaseKind = "sqlite" | "postgres" | "mysql";

/** A scheme has two letters or more, so that `C:\data\workflow.db` is a path. */
const SCHEME = /^([a-z][a-z0-9+.-]+):/i;

const KINDS: Readonly<Record<string, DatabaseKind>> = {
  file: "sqlite",
  sqlite: "sqlite",
  sqlite3: "sqlite",
  postgres: "postgres",
  postgresql: "postgres",
  mysql: "mysql",
  mariadb: "mysql",
};

/** In lower case; `undefined` for a path. */
export function schemeOf(database: string): string | undefined {
  return SCHEME.exec(database)?.[1]?.toLowerCase();
}

/** `undefined` for one that romancy cannot use. */
export function kindOf(database: Given): DatabaseKind | undefined {
  if (typeof database !== "string") return "getConnection" in database ? "mysql" : "postgres";
  const scheme = schemeOf(database);
  if (scheme === undefined) return "sqlite";
  return Object.hasOwn(KINDS, scheme) ? KINDS[scheme] : undefined;
}

/**
 * The file of a SQLite database, or `:memory:`. `file:x.db`, `file:///tmp/x.db` and `sqlite://x.db` are all in use.
 *
 * @throws ValidationError
 */
export function pathOf(database: string): string {
  const scheme = schemeOf(database);
  if (scheme === undefined) return database;
  const rest = database.slice(scheme.length + 1);
  const path = decoded(scheme === "file" ? withoutHost(rest) : rest.replace(/^\/\//, ""));
  // An empty one is no wish to keep nothing.
  if (path !== "") return path;
  throw refused('names no file. For a database that is gone with the process give ":memory:"');
}

/** A file is on this machine (RFC 8089). */
function withoutHost(rest: string): string {
  if (!rest.startsWith("//")) return rest;
  const [, host = "", path = ""] = /^\/\/([^/?]*)(.*)$/s.exec(rest) ?? [];
  if (host === "" || host.toLowerCase() === "localhost") return path;
  throw refused(`has a host, ${host}. Write "file:relative.db" or "file:///absolute.db"`);
}

function decoded(path: string): string {
  if (path.includes("?")) {
    throw refused("has a query string, and there is nothing to be said there. As a part of the name write %3F for ?");
  }
  try {
    return decodeURIComponent(path);
  } catch {
    throw refused("is not encoded as a URL. Write %25 for %, or give the plain path");
  }
}

/** Without the URL, which the log need not have. */
function refused(why: string): ValidationError {
  return new ValidationError(`The URL of the SQLite database ${why}.`);
}
