import { readFileSync } from "node:fs";
import { Command } from "commander";
import { cancelCommand } from "./commands/cancel.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { eventCommand } from "./commands/event.ts";
import { getCommand } from "./commands/get.ts";
import { historyCommand } from "./commands/history.ts";
import { listCommand } from "./commands/list.ts";
import { migrateCommand } from "./commands/migrate.ts";
import { outboxCommand } from "./commands/outbox.ts";
import { pruneCommand } from "./commands/prune.ts";
import { publishCommand } from "./commands/publish.ts";
import { replayCheckCommand } from "./commands/replay-check.ts";
import { retryCommand } from "./commands/retry.ts";
import { retryCompensationsCommand } from "./commands/retry-compensations.ts";
import { startCommand } from "./commands/start.ts";
import { tailCommand } from "./commands/tail.ts";
import { workersCommand } from "./commands/workers.ts";

/** The whole command line. It throws where it would end the process: see `failureOf`. */
export function createProgram(): Command {
  const program = new Command("romancy")
    .description("Operates durable workflows: looks at them, starts, wakes, cancels and retries them.")
    .version(version(), "--version", "show the version")
    .exitOverride()
    .configureOutput({ outputError: () => {} })
    .addHelpText(
      "after",
      "\nEvery command has --help with examples. The database is named by --url or ROMANCY_DATABASE_URL." +
        "\nExit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 refused, 5 schema, 6 database, 7 timeout.",
    );
  for (const command of COMMANDS) program.addCommand(command());
  return program;
}

const COMMANDS = [
  listCommand,
  getCommand,
  historyCommand,
  startCommand,
  eventCommand,
  publishCommand,
  cancelCommand,
  retryCommand,
  retryCompensationsCommand,
  outboxCommand,
  workersCommand,
  pruneCommand,
  tailCommand,
  migrateCommand,
  doctorCommand,
  replayCheckCommand,
];

function version(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}
