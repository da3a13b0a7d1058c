import type { Command } from "commander";
import { withClient } from "../client.ts";
import { type CommonOptions, databaseCommand } from "../command.ts";
import { UsageError } from "../failure.ts";
import { parseJson } from "../json.ts";
import { given } from "../parse.ts";
import { answer } from "../terminal.ts";

interface Options extends CommonOptions {
  readonly data: string;
  readonly metadata?: string;
  readonly id?: string;
  readonly to?: string;
}

export function publishCommand(): Command {
  return databaseCommand("publish", "Send a message to the subscribers of a channel, or to one instance.", [
    `publish prices --data '{"symbol":"ABC","price":12}'`,
    `publish mailbox --to ORD-123 --data '"hello"'`,
  ])
    .argument("<channel>", "the channel")
    .requiredOption("--data <json>", "what it says")
    .option("--metadata <json>", "an object that goes along")
    .option("--id <id>", "of messages with the same id one is delivered (default: a UUID)")
    .option("--to <instance>", "to this instance alone")
    .action(async (channel: string, options: Options) => {
      const { id, to } = options;
      const data = parseJson("--data", options.data);
      const sending = given({ id, metadata: metadataOf(options.metadata) });
      const sent = await withClient(options, (app) =>
        to === undefined ? app.publish(channel, data, sending) : app.sendTo(to, channel, data, sending),
      );
      answer(options, { json: { ...sent, channel }, text: `Message ${sent.id} is sent.` });
    });
}

function metadataOf(text: string | undefined): Record<string, unknown> | undefined {
  if (text === undefined) return undefined;
  const value = parseJson("--metadata", text);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new UsageError("--metadata must be a JSON object");
}
