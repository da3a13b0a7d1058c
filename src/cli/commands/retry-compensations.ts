import type { Command } from "commander";
import { withClient } from "../client.ts";
import { type CommonOptions, databaseCommand } from "../command.ts";
import { answer } from "../terminal.ts";

export function retryCompensationsCommand(): Command {
  return databaseCommand("retry-compensations", "Run those compensations of an ended instance again that failed.", [
    "retry-compensations ORD-123",
  ])
    .argument("<id>", "the instance")
    .action(async (id: string, options: CommonOptions) => {
      await withClient(options, (app) => app.retryCompensations(id));
      answer(options, { json: { id, compensating: true }, text: `The compensations of ${id} are run again.` });
    });
}
