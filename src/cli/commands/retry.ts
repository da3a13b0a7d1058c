import type { Command } from "commander";
import { withClient } from "../client.ts";
import { type CommonOptions, databaseCommand } from "../command.ts";
import { failureOf } from "../failure.ts";
import { writeJson } from "../terminal.ts";

/** How one of them fared. */
interface Outcome {
  readonly id: string;
  readonly error: { readonly code: string; readonly message: string } | undefined;
}

export function retryCommand(): Command {
  return databaseCommand("retry", "Retry instances that have failed, or are blocked.", [
    "retry ORD-123",
    "list --status failed --json | jq -r '.instances[].id' | xargs romancy retry",
  ])
    .argument("<ids...>", "the instances")
    .action(async (ids: readonly string[], options: CommonOptions) => {
      const outcomes: Outcome[] = [];
      await withClient(options, async (app) => {
        for (const id of ids) {
          const failure = await app.retry(id).then(() => undefined, failureOf);
          outcomes.push({ id, error: failure && { code: failure.code, message: failure.message } });
          process.exitCode ??= failure?.exitCode;
        }
      });
      if (options.json) writeJson({ instances: outcomes });
      else for (const outcome of outcomes) tell(outcome);
    });
}

function tell({ id, error }: Outcome): void {
  if (error) process.stderr.write(`romancy: ${error.message}\n`);
  else process.stdout.write(`Instance ${id} goes on.\n`);
}
