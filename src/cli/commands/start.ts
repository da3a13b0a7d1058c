import type { Command } from "commander";
import type { Duration } from "../../index.ts";
import { withClient } from "../client.ts";
import { type CommonOptions, collect, databaseCommand } from "../command.ts";
import { UsageError } from "../failure.ts";
import { compact } from "../json.ts";
import { type LoadedWorkflow, loadWorkflows } from "../load-workflows.ts";
import { given, parseArguments, parseCount, parsePairs } from "../parse.ts";
import { answer } from "../terminal.ts";

interface Options extends CommonOptions {
  readonly module: string;
  readonly input?: string;
  readonly id?: string;
  readonly tag?: readonly string[];
  readonly priority?: string;
  readonly wait?: boolean;
  readonly timeout?: string;
}

export function startCommand(): Command {
  return databaseCommand("start", "Start an instance of a workflow; workers run it.", [
    `start order --module workflows.ts --input '["ORD-123", 99.99]' --id ORD-123`,
    `start report --module dist/workflows.js --input '{"month":"2026-01"}' --wait --timeout 5m`,
  ])
    .argument("<workflow>", "its name")
    .requiredOption("--module <file>", "where it is defined: a .ts, .js or .mjs file that exports it")
    .option("--input <json>", "a list of arguments, or the only one")
    .option("--id <id>", "starting it twice with equal input starts it once (default: a UUID)")
    .option("--tag <name=value>", "may be given again", collect)
    .option("--priority <n>", "seconds by which it is put before others")
    .option("--wait", "wait for its end, and show what it returned")
    .option("--timeout <duration>", "wait no longer than that, such as 30s")
    .action(async (name: string, options: Options) => {
      const workflows = await loadWorkflows(options.module);
      const workflow = find(name, workflows, options.module);
      const input = parseArguments("--input", options.input);
      const { id, priority } = options;
      const start = given({
        id,
        tags: parsePairs("--tag", options.tag),
        priority: parseCount("--priority", priority),
      });
      const timeout = options.timeout as Duration | undefined;
      const started = await withClient(options, async (app) => {
        const handle = await workflow.with(start).start(app, ...input);
        if (!options.wait) return { id: handle.id, workflow: name };
        return { id: handle.id, workflow: name, result: await handle.result(given({ timeout })) };
      });
      const text = "result" in started ? compact(started.result) : started.id;
      answer(options, { json: started, text });
    });
}

/** @throws UsageError when the module has no such workflow */
function find(name: string, workflows: readonly LoadedWorkflow[], file: string): LoadedWorkflow {
  const found = workflows.find((workflow) => workflow.name === name);
  if (found) return found;
  const names = workflows.map((workflow) => workflow.name).join(", ");
  throw new UsageError(`the module ${file} exports no workflow ${name}; it has: ${names}`);
}
