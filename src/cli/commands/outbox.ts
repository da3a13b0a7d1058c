import { Command } from "commander";
import { outboxListCommand } from "./outbox-list.ts";
import { outboxRetryCommand } from "./outbox-retry.ts";

export function outboxCommand(): Command {
  return new Command("outbox")
    .description("Events for brokers: see which are not sent, and have them sent again.")
    .exitOverride()
    .configureOutput({ outputError: () => {} })
    .addCommand(outboxListCommand())
    .addCommand(outboxRetryCommand());
}
