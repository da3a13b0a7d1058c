import type { Command } from "commander";
import type { HistoryEntry } from "../../index.ts";
import { withClient } from "../client.ts";
import { type CommonOptions, databaseCommand } from "../command.ts";
import { compact } from "../json.ts";
import { table } from "../table.ts";
import { answer } from "../terminal.ts";

interface Options extends CommonOptions {
  readonly export?: boolean;
}

export function historyCommand(): Command {
  return databaseCommand("history", "Show what is recorded of an instance, in order.", [
    "history ORD-123",
    "history ORD-123 --export > order.json && romancy replay-check --module workflows.ts order.json",
  ])
    .argument("<id>", "the instance")
    .option("--export", "write the history as it is stored, for `romancy replay-check`")
    .action(async (id: string, options: Options) => {
      if (options.export) {
        const exported = await withClient(options, (app) => app.exportHistory(id));
        process.stdout.write(`${JSON.stringify(exported)}\n`);
        return;
      }
      const events = await withClient(options, (app) => app.getHistory(id));
      answer(options, {
        json: { id, events },
        text: table(["#", "time", "event", "operation", "facts"], events.map(rowOf)),
      });
    });
}

function rowOf({ seq, at, kind, operationId, ...facts }: HistoryEntry): string[] {
  return [String(seq), at.toISOString(), kind, operationId, Object.keys(facts).length > 0 ? compact(facts) : ""];
}
