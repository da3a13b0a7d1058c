import type { Command } from "commander";
import type { OutboxRetryFilter } from "../../index.ts";
import { withClient } from "../client.ts";
import { type CommonOptions, databaseCommand } from "../command.ts";
import { UsageError } from "../failure.ts";
import { given } from "../parse.ts";
import { answer } from "../terminal.ts";

interface Options extends CommonOptions {
  readonly status?: NonNullable<OutboxRetryFilter["status"]>;
  readonly instance?: string;
}

export function outboxRetryCommand(): Command {
  return databaseCommand("retry", "Send events again: one, or all that were given up.", [
    "outbox retry",
    "outbox retry --status invalid --instance ORD-123",
    "outbox retry ORD-123/send_event:1",
  ])
    .argument("[id]", "the event; without it, all that are invalid, failed or expired")
    .option("--status <status>", "only those of this status: pending, invalid, failed or expired")
    .option("--instance <id>", "only those of this instance")
    .action(async (id: string | undefined, options: Options) => {
      const { status, instance: instanceId } = options;
      if (id !== undefined && (status ?? instanceId) !== undefined) {
        throw new UsageError("give the id of an event, or --status and --instance, not both");
      }
      const which = id ?? given({ status, instanceId });
      const count = await withClient(options, (app) => app.outbox.retry(which));
      answer(options, { json: { count }, text: `${count} ${count === 1 ? "event is" : "events are"} sent again.` });
    });
}
