/** The database that the tests run on, of which each test has one to itself. */
import { afterAll, inject } from "vitest";
import type { Databases, TestDatabase } from "./databases/database.ts";
import { MysqlDatabases } from "./databases/mysql.ts";
import { numbered, PostgresDatabases } from "./databases/postgres.ts";
import { sqliteDatabases } from "./databases/sqlite.ts";
import { watchMysql } from "./drivers/mysql.ts";
import { watchPostgres } from "./drivers/postgres.ts";
import { watchSqlite } from "./drivers/sqlite.ts";
import type { Watch } from "./drivers/watch.ts";
import type { DatabaseKind, ProvidedDatabase } from "./provided.ts";

export type { Hold, Param, Row, TestDatabase } from "./databases/database.ts";
export type { DatabaseKind } from "./provided.ts";

/** Tests that are no database's run on SQLite. */
const provided: ProvidedDatabase = inject("database") ?? { kind: "sqlite" };

export const databaseKind: DatabaseKind = provided.kind;

/** The same with MariaDB taken for MySQL, as the product does. */
export const dialectName: "sqlite" | "postgres" | "mysql" = databaseKind === "mariadb" ? "mysql" : databaseKind;

/** Shows what apps ask of the database, and lets it fail. */
export const watchDriver: Watch = { sqlite: watchSqlite, postgres: watchPostgres, mysql: watchMysql }[dialectName];

const databases = open(provided);

afterAll(() => databases.close());

/** Makes an empty database; whoever asks for it drops it. */
export function createDatabase(): Promise<TestDatabase> {
  return databases.create();
}

/** The SQL as the database's own driver takes it from users: with `$1`, `$2` in place of each `?` on PostgreSQL. */
export function placeholders(sql: string): string {
  return databaseKind === "postgres" ? numbered(sql) : sql;
}

function open(database: ProvidedDatabase): Databases {
  if (!("url" in database)) return sqliteDatabases;
  return database.kind === "postgres" ? new PostgresDatabases(database.url) : new MysqlDatabases(database);
}
