/** What all commands have in common. */
import { Command, Option } from "commander";

/** Options of every command. */
export interface CommonOptions {
  readonly url?: string;
  readonly schema?: string;
  readonly tablePrefix?: string;
  readonly json?: boolean;
}

/** A command that is not of the database. */
export function plainCommand(name: string, description: string, examples: readonly string[]): Command {
  return new Command(name)
    .description(description)
    .option("--json", "write JSON, for programs")
    .exitOverride()
    .configureOutput({ outputError: () => {} })
    .addHelpText("after", `\nExamples:\n${examples.map((example) => `  $ romancy ${example}`).join("\n")}`);
}

/** A command of the database. */
export function databaseCommand(name: string, description: string, examples: readonly string[]): Command {
  return plainCommand(name, description, examples)
    .addOption(new Option("--url <url>", "the database: a URL, or a SQLite file").env("ROMANCY_DATABASE_URL"))
    .option("--schema <name>", "the schema of PostgreSQL that holds the tables")
    .option("--table-prefix <prefix>", "what the tables' names begin with (default: romancy_)");
}

/** For options that may be given several times. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
