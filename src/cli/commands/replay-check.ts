import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { type ReplayVerdict, Romancy } from "../../index.ts";
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

interface Result {
  readonly file: string;
  readonly instanceId: string;
  readonly workflow: string;
  readonly verdict: ReplayVerdict;
}

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
      for (const file of files) {
        const { instanceId, workflow, ...verdict } = await app["~replay"](read(file));
        results.push({ file, instanceId, workflow, verdict });
      }
      const json = results.map(({ verdict, ...which }) => ({ ...which, ...verdict }));
      const text = table(["file", "workflow", "instance", "verdict", "why"], results.map(rowOf));
      answer(options, { json: { results: json }, text });
      if (results.some(({ verdict }) => verdict.type !== "ok")) process.exitCode = EXIT.failed;
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

function rowOf({ file, workflow, instanceId, verdict }: Result): string[] {
  return [file, workflow, instanceId, verdict.type, reasonOf(verdict)];
}

function reasonOf(verdict: ReplayVerdict): string {
  if (verdict.type === "ok") return "";
  if (verdict.type !== "different_end") return verdict.error.message;
  return `recorded ${compact(verdict.recorded)}, now ${compact(verdict.replayed)}`;
}
