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
        "Call `app.migrate()`, or apply the files in the package's `migrations` folder with dbmate.",
    );
  }
}

async function missing(database: Database, connection: Connection): Promise<readonly Migration[]> {
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

async function appliedVersions(database: Database, connection: Connection): Promise<string[]> {
  const runner = new Runner(database);
  const tables = await runner.all(connection, tableExists, { table: qualify("romancy_migrations", database.naming) });
  if (tables.length === 0) return [];
  return (await runner.all(connection, applied, {})).map((row) => row.version);
}
