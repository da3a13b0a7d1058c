import type { Command } from "commander";
import type { PruneOptions, PruneResult } from "../../index.ts";
import { withClient } from "../client.ts";
import { type CommonOptions, collect, databaseCommand } from "../command.ts";
import { given, parseCount } from "../parse.ts";
import { answer } from "../terminal.ts";

interface Options extends CommonOptions {
  readonly olderThan: string;
  readonly workflow?: readonly string[];
  readonly status?: readonly string[];
  readonly limit?: string;
  readonly dryRun?: boolean;
}

export function pruneCommand(): Command {
  return databaseCommand("prune", "Remove instances that ended long ago, with their children and histories.", [
    "prune --older-than 30d --dry-run",
    'prune --older-than "90 days" --workflow order --status completed,cancelled',
  ])
    .requiredOption("--older-than <duration>", "what has ended longer ago than that, such as 30d")
    .option("--workflow <name>", "of this workflow; may be given again", collect)
    .option("--status <status>", "completed, failed or cancelled; several with commas, or the option again", collect)
    .option("--limit <n>", "at most so many trees of instances")
    .option("--dry-run", "only count")
    .action(async (options: Options) => {
      const which = optionsOf(options);
      const result = await withClient(options, (app) => app.prune(which));
      answer(options, { json: { ...result, dryRun: options.dryRun ?? false }, text: textOf(result, options) });
    });
}

/** The engine checks them. */
function optionsOf({ olderThan, workflow, status, limit, dryRun }: Options): PruneOptions {
  const statuses = status?.flatMap((text) => text.split(","));
  const which = { workflow, status: statuses, limit: parseCount("--limit", limit), dryRun };
  return { olderThan, ...given(which) } as PruneOptions;
}

function textOf({ instances, trees }: PruneResult, { dryRun = false }: Options): string {
  const what = `${instances} ${instances === 1 ? "instance" : "instances"} in ${trees} ${trees === 1 ? "tree" : "trees"}`;
  return dryRun ? `Would remove ${what}.` : `Removed ${what}.`;
}
