import type { Command } from "commander";
import type { WorkerInfo } from "../../index.ts";
import { withClient } from "../client.ts";
import { type CommonOptions, databaseCommand } from "../command.ts";
import { table } from "../table.ts";
import { answer } from "../terminal.ts";

export function workersCommand(): Command {
  return databaseCommand("workers", "List the workers of the database: whether they live, and what they hold.", [
    "workers",
    "workers --json | jq '.workers[] | select(.isAlive | not)'",
  ]).action(async (options: CommonOptions) => {
    const workers = await withClient(options, (app) => app.listWorkers());
    const text = workers.length === 0 ? "No workers." : table(HEADINGS, workers.map(rowOf));
    answer(options, { json: { workers }, text });
  });
}

const HEADINGS = ["id", "host", "pid", "state", "instances", "lock", "lease until", "started"];

function rowOf({ id, host, pid, isAlive, instances, lock, leaseUntil, startedAt }: WorkerInfo): string[] {
  const state = isAlive ? "alive" : "dead";
  return [id, host, String(pid), state, String(instances), lock, leaseUntil.toISOString(), startedAt.toISOString()];
}
