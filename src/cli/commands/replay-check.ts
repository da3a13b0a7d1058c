import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { type ReplayResult, Romancy } from "../../index.ts";
import { plainCommand } from "../command.ts";
import { EXIT, UsageError } from "../failure.ts";
import { compact } from "../json.ts";
import { loadWorkflows } from "../load-workflows.ts";
import { table } from "../table.ts";
import { answer } from "../terminal.ts";

interface Options {
  readonly module: string;
  readonly json?: boolean;
}

/** What came of one file. */
type Result = ReplayResult & { readonly file: string };

export function replayCheckCommand(): Command {
  return plainCommand("replay-check", "Check that today's code follows histories that were exported.", [
    "replay-check --module workflows.ts histories/*.json",
    "history ORD-123 --export > order.json && romancy replay-check --module workflows.ts order.json",
  ])
    .argument("<files...>", "what `romancy history --export` has written")
    .requiredOption("--module <file>", "today's workflows")
    .action(async (files: readonly string[], options: Options) => {
      const workflows = await loadWorkflows(options.module);
      // Never started: it only knows the workflows.
      const app = new Romancy({ database: ":memory:", workflows });
      const results: Result[] = [];
      for (const file of files) results.push({ file, ...(await app["~replay"](read(file))) });
      const text = table(["file", "workflow", "instance", "verdict", "why"], results.map(rowOf));
      answer(options, { json: { results }, text });
      if (results.some(({ type }) => type !== "ok")) process.exitCode = EXIT.failed;
    });
}

function read(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`${file} cannot be read: ${reason}`, { cause });
  }
}

function rowOf(result: Result): string[] {
  return [result.file, result.workflow, result.instanceId, result.type, reasonOf(result)];
}

function reasonOf(result: Result): string {
  if (result.type === "ok") return "";
  if (result.type !== "different_end") return result.error.message;
  return `recorded ${compact(result.recorded)}, now ${compact(result.replayed)}`;
}
