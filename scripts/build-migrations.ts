/**
 * Turns `migrations/<database>/*.sql` into `src/store/migrations.gen.ts`, so that bundled programs carry them.
 * With `--check` it writes nothing and fails when the module is not up to date.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";

const root = new URL("../", import.meta.url);
const target = new URL("src/store/migrations.gen.ts", root);

const byDatabase = Object.fromEntries(
  readdirSync(new URL("migrations/", root))
    .toSorted()
    .map((database) => [database, migrationsOf(database)]),
);

const text = `// Made by \`npm run migrations\` from migrations/*/*.sql. Do not edit.
import type { Migration } from "./migration.ts";

export const migrations: Readonly<Record<string, readonly Migration[]>> = ${JSON.stringify(byDatabase, null, 2)};
`;

if (!process.argv.includes("--check")) writeFileSync(target, text);
else if (readFileSync(target, "utf8") !== text) {
  console.error("src/store/migrations.gen.ts is not up to date: run `npm run migrations`.");
  process.exit(1);
}

function migrationsOf(database: string): { version: string; name: string; up: string; down: string }[] {
  const folder = new URL(`migrations/${database}/`, root);
  return readdirSync(folder)
    .toSorted()
    .map((file) => {
      const [, version, name] = /^(\d{14})_(\w+)\.sql$/.exec(file) ?? [];
      const [, up, down] =
        /^-- migrate:up\n(.*)-- migrate:down\n(.*)$/s.exec(readFileSync(new URL(file, folder), "utf8")) ?? [];
      if (!version || !name || up === undefined || down === undefined) throw new Error(`${file} is not a migration.`);
      return { version, name, up: up.trim(), down: down.trim() };
    });
}
