/**
 * Migrations in the form of dbmate: applied in order of version, each once, recorded in `romancy_migrations`, a table
 * that the dbmate program reads too (`--migrations-table romancy_migrations`).
 */
import { SchemaVersionError } from "../core/errors.ts";
import type { Connection, Database } from "./database.ts";
import type { Migration } from "./migration.ts";
import { migrations } from "./migrations.gen.ts";
import { qualify, rename } from "./naming.ts";
import { Runner } from "./runner.ts";
import { $, sql } from "./sql.ts";
import { type Statement, statement } from "./statement.ts";

const CREATE = "create table if not exists romancy_migrations (version varchar(128) not null primary key)";

const tableExists: Statement<"table", unknown> = statement("migrations.tableExists", (dialect) => dialect.tableExists);

const applied: Statement<never, { version: string }> = statement(
  "migrations.applied",
  () => sql`select version from romancy_migrations order by version`,
);

const record: Statement<"version"> = statement(
  "migrations.record",
  () => sql`insert into romancy_migrations (version) values (${$("version")})`,
);

/**
 * Brings the schema up to date. Any number of processes may do so at once: who comes second finds the work done.
 *
 * @throws SchemaVersionError when the database is newer than this code; nothing is touched
 */
export async function migrate(database: Database): Promise<void> {
  if ((await missing(database, database.reader)).length === 0) return;
  await database.exclusively(async (connection) => {
    await connection.script(rename(CREATE, database.naming));
    for (const migration of await missing(database, connection)) {
      await connection.script(rename(migration.up, database.naming));
      await new Runner(database).run(connection, record, { version: migration.version });
    }
  });
}

/** @throws SchemaVersionError unless the schema is exactly the one this code needs */
export async function checkSchema(database: Database): Promise<void> {
  const [next] = await missing(database, database.reader);
  if (next) {
    throw new SchemaVersionError(
      `The database lacks migration ${next.version}_${next.name}, and \`autoMigrate\` is off. ` +
        "Run `romancy migrate`, call `app.migrate()`, or apply the files in the package's `migrations` folder with dbmate.",
    );
  }
}

/** A migration, and whether the database has it. */
export interface MigrationInfo {
  /** `YYYYMMDDhhmmss`. */
  readonly version: string;
  /** `undefined` when this code does not know it. */
  readonly name: string | undefined;
  /** `unknown` when the database has it, and this code does not know it: it was made by a newer version. */
  readonly status: "applied" | "pending" | "unknown";
}

/** All migrations, of this code and of the database, in order; nothing is touched. */
export async function listMigrations(database: Database): Promise<MigrationInfo[]> {
  const known = migrations[database.dialect.name] ?? [];
  const done = new Set(await appliedVersions(database, database.reader));
  const unknown = [...done].filter((version) => !known.some((migration) => migration.version === version));
  const list: MigrationInfo[] = [
    ...known.map(
      ({ version, name }) => ({ version, name, status: done.has(version) ? "applied" : "pending" }) as const,
    ),
    ...unknown.map((version) => ({ version, name: undefined, status: "unknown" }) as const),
  ];
  return list.toSorted((a, b) => (a.version < b.version ? -1 : 1));
}

/** @throws SchemaVersionError when the database is newer than this code */
export async function missing(database: Database, connection: Connection): Promise<readonly Migration[]> {
  const known = migrations[database.dialect.name] ?? [];
  const done = new Set(await appliedVersions(database, connection));
  const foreign = [...done].find((version) => !known.some((migration) => migration.version === version));
  if (foreign !== undefined) {
    throw new SchemaVersionError(
      `The database has migration ${foreign}, which this version of romancy does not know. ` +
        "It was made by a newer version: upgrade romancy. Nothing was changed.",
    );
  }
  return known.filter((migration) => !done.has(migration.version));
}

/** In order. */
export async function appliedVersions(database: Database, connection: Connection): Promise<string[]> {
  if (!(await hasTable(database, connection, "romancy_migrations"))) return [];
  return (await new Runner(database).all(connection, applied, {})).map((row) => row.version);
}

/** @param name as statements name it */
export async function hasTable(database: Database, connection: Connection, name: string): Promise<boolean> {
  const table = qualify(name, database.naming);
  return (await new Runner(database).all(connection, tableExists, { table })).length > 0;
}
