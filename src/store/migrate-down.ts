/** Takes back the last migration, unless something of value would go with it. */
import { MigrationRefusedError } from "../core/errors.ts";
import type { Connection, Database } from "./database.ts";
import { appliedVersions, hasTable, missing } from "./migrate.ts";
import type { Migration } from "./migration.ts";
import { migrations } from "./migrations.gen.ts";
import { rename } from "./naming.ts";
import { Runner } from "./runner.ts";
import { $, type Sql, sql } from "./sql.ts";
import { type Statement, statement } from "./statement.ts";

const forget: Statement<"version"> = statement(
  "migrations.forget",
  () => sql`delete from romancy_migrations where version = ${$("version")}`,
);

interface Use {
  /** The table that it is in. */
  readonly table: string;
  readonly rows: Statement<never, { readonly found: number }>;
  readonly what: string;
}

const use = (table: string, what: string, condition: (now: string) => string): Use => ({
  table,
  what,
  rows: statement(
    `migrations.use.${table}`,
    (d): Sql<never> => sql`select count(*) as found from ${table} where ${condition(d.now)}`,
  ),
});

/** What must not be lost, nor lose its tables while it is at work. */
const USES: readonly Use[] = [
  use("romancy_workers", "workers that are running", (now) => `expires_at >= ${now}`),
  use("romancy_instances", "instances that have not ended", () => "completed_at is null"),
  use("romancy_outbox", "events that were not sent", () => "status = 'pending'"),
];

/**
 * Takes back the last migration that was applied.
 *
 * @throws MigrationRefusedError when there is none, or the database is in use; nothing is touched
 * @throws SchemaVersionError when the database is newer than this code
 */
export async function migrateDown(database: Database): Promise<Migration> {
  // One that is not known here cannot be taken back.
  await missing(database, database.reader);
  return database.exclusively(async (connection) => {
    const last = await lastApplied(database, connection);
    await checkUse(database, connection);
    await connection.script(rename(last.down, database.naming));
    await new Runner(database).run(connection, forget, { version: last.version });
    return last;
  });
}

async function lastApplied(database: Database, connection: Connection): Promise<Migration> {
  const version = (await appliedVersions(database, connection)).at(-1);
  const last = migrations[database.dialect.name]?.find((migration) => migration.version === version);
  if (!last) throw new MigrationRefusedError("The database has no migration of romancy's that could be taken back.");
  return last;
}

async function checkUse(database: Database, connection: Connection): Promise<void> {
  const runner = new Runner(database);
  for (const { table, rows, what } of USES) {
    if (!(await hasTable(database, connection, table))) continue;
    const [row] = await runner.all(connection, rows, {});
    if (row === undefined || row.found === 0) continue;
    throw new MigrationRefusedError(
      `The database has ${what} (${row.found}): taking a migration back could lose them. Shut all workers down, and let ` +
        "what is under way end, or cancel it; or restore a backup that was made before the migration. Nothing was changed.",
    );
  }
}
