import type { Command } from "commander";
import { withClient } from "../client.ts";
import { type CommonOptions, databaseCommand } from "../command.ts";
import { parseJson } from "../json.ts";
import { loadWorkflows } from "../load-workflows.ts";
import { given } from "../parse.ts";
import { answer } from "../terminal.ts";

interface Options extends CommonOptions {
  readonly data?: string;
  readonly subject?: string;
  readonly source: string;
  readonly id?: string;
  readonly instance?: string;
  readonly module?: string;
}

export function eventCommand(): Command {
  return databaseCommand("event", "Send an event to all instances that hear of it, or to one.", [
    `event payment.completed --subject ORD-123 --data '{"status":"paid"}'`,
    `event approved --instance ORD-123 --data true`,
    `event order.placed --module workflows.ts --data '{"id":"ORD-7"}'   # also starts those that handle it`,
  ])
    .argument("<type>", "its type")
    .option("--data <json>", "what it says")
    .option("--subject <text>", "what it is about: the key by which it is waited for")
    .option("--source <text>", "who says so", "romancy-cli")
    .option("--id <id>", "one of the same source and id is delivered once (default: a UUID)")
    .option("--instance <id>", "for this instance alone, whether it waits for it or not")
    .option("--module <file>", "the workflows that are started by events")
    .action(async (type: string, options: Options) => {
      const { data, subject, source, id, instance: instanceId, module } = options;
      const value = data === undefined ? undefined : parseJson("--data", data);
      const workflows = module === undefined ? [] : await loadWorkflows(module);
      const event = { type, source, ...given({ id, subject, data: value }) };
      const sent = await withClient(options, (app) => app.sendEvent(event, given({ instanceId })), workflows);
      answer(options, { json: { ...sent, type }, text: `Event ${sent.id} is sent.` });
    });
}
