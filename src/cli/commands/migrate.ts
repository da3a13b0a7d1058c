import type { Command } from "commander";
import { type MigrationInfo, type Romancy, SchemaVersionError } from "../../index.ts";
import { createClient } from "../client.ts";
import { type CommonOptions, databaseCommand } from "../command.ts";
import { EXIT, UsageError } from "../failure.ts";
import { table } from "../table.ts";
import { answer } from "../terminal.ts";

interface Options extends CommonOptions {
  readonly status?: boolean;
  readonly down?: boolean;
}

export function migrateCommand(): Command {
  return databaseCommand("migrate", "Bring the schema up to date; make a SQLite file that does not exist.", [
    "migrate --url postgres://localhost/app",
    "migrate --status   # exit code 5 unless it is up to date",
    "migrate --down     # takes the last one back, when nothing is under way",
  ])
    .option("--status", "only show which migrations the database has")
    .option("--down", "take the last migration back")
    .action(async (options: Options) => {
      if (options.status && options.down) throw new UsageError("give --status or --down, not both");
      const app = createClient(options);
      if (options.status) await showStatus(app, options);
      else if (options.down) await goDown(app, options);
      else await goUp(app, options);
    });
}

async function showStatus(app: Romancy, options: Options): Promise<void> {
  const migrations = await app.migrationStatus();
  const rows = migrations.map(({ version, name, status }) => [version, name ?? "", status]);
  answer(options, { json: { migrations }, text: table(["version", "name", "status"], rows) });
  if (migrations.some(({ status }) => status !== "applied")) process.exitCode = EXIT.schema;
}

async function goUp(app: Romancy, options: Options): Promise<void> {
  const before = new Set(
    (await statusBefore(app)).flatMap(({ version, status }) => (status === "applied" ? [version] : [])),
  );
  await app.migrate();
  const applied = (await app.migrationStatus()).map(({ version }) => version).filter((version) => !before.has(version));
  const text = applied.length === 0 ? "The schema is up to date." : `Applied: ${applied.join(", ")}.`;
  answer(options, { json: { applied }, text });
}

/** Of a SQLite file that does not exist yet: none. */
async function statusBefore(app: Romancy): Promise<readonly MigrationInfo[]> {
  try {
    return await app.migrationStatus();
  } catch (error) {
    if (error instanceof SchemaVersionError) return [];
    throw error;
  }
}

async function goDown(app: Romancy, options: Options): Promise<void> {
  const { version, name } = await app.migrateDown();
  answer(options, { json: { reverted: version }, text: `Took ${version}_${name ?? ""} back.` });
}
