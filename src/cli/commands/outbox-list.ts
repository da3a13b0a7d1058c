import type { Command } from "commander";
import type { OutboxPage, OutboxStatus } from "../../index.ts";
import { withClient } from "../client.ts";
import { type CommonOptions, databaseCommand } from "../command.ts";
import { given, parseCount } from "../parse.ts";
import { table } from "../table.ts";
import { answer } from "../terminal.ts";

interface Options extends CommonOptions {
  readonly status?: OutboxStatus;
  readonly instance?: string;
  readonly limit?: string;
  readonly pageToken?: string;
}

export function outboxListCommand(): Command {
  return databaseCommand("list", "List events for brokers, oldest first.", [
    "outbox list --status failed",
    "outbox list --instance ORD-123 --json",
  ])
    .option("--status <status>", "pending, published, invalid, failed or expired")
    .option("--instance <id>", "sent by this instance")
    .option("--limit <n>", "at most so many, 1 to 1000 (default: 50)")
    .option("--page-token <token>", "the page after the one that gave this token")
    .action(async (options: Options) => {
      const { status, instance: instanceId, pageToken } = options;
      const filter = given({ status, instanceId, pageToken, limit: parseCount("--limit", options.limit) });
      const page = await withClient(options, (app) => app.outbox.list(filter));
      answer(options, { json: page, text: textOf(page) });
    });
}

function textOf({ events, nextPageToken }: OutboxPage): string {
  if (events.length === 0) return "No events.";
  const rows = events.map(({ id, event, status, attempts, createdAt, lastError }) => [
    id,
    event.type,
    status,
    String(attempts),
    createdAt.toISOString(),
    lastError ?? "",
  ]);
  const listing = table(["id", "type", "status", "tries", "created", "last error"], rows);
  return nextPageToken === undefined ? listing : `${listing}\n\nMore: --page-token ${nextPageToken}`;
}
