import type { Command } from "commander";
import { withClient } from "../client.ts";
import { type CommonOptions, databaseCommand } from "../command.ts";
import { answer } from "../terminal.ts";

interface Options extends CommonOptions {
  readonly reason?: string;
}

export function cancelCommand(): Command {
  return databaseCommand("cancel", "Cancel an instance: what it has done is undone.", [
    'cancel ORD-123 --reason "The customer has changed her mind"',
  ])
    .argument("<id>", "the instance, or one that it was before")
    .option("--reason <text>", "kept with the instance")
    .action(async (id: string, options: Options) => {
      await withClient(options, (app) => app.cancel(id, options.reason));
      answer(options, { json: { id, cancelRequested: true }, text: `Instance ${id} is to be cancelled.` });
    });
}
