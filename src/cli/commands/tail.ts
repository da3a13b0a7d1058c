import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import type { InstanceFilter, InstanceSummary, Romancy } from "../../index.ts";
import { withClient } from "../client.ts";
import { type CommonOptions, collect, databaseCommand } from "../command.ts";
import { given, parseCount, parseStatuses } from "../parse.ts";
import { paintStatus, writeJson } from "../terminal.ts";

interface Options extends CommonOptions {
  readonly status?: readonly string[];
  readonly workflow?: readonly string[];
  readonly interval?: string;
}

/** Milliseconds between two looks, unless it is said. */
const INTERVAL = 500;

/**
 * Milliseconds that each look goes back behind the newest change that was seen: what is committed late may be older. It is
 * known by then what was shown.
 */
const OVERLAP = 60_000;

export function tailCommand(): Command {
  return databaseCommand("tail", "Show instances as they are started and change, until it is interrupted.", [
    "tail",
    "tail --workflow order --status failed,blocked --json",
  ])
    .option("--status <status>", "of this status; several with commas, or the option again", collect)
    .option("--workflow <name>", "of this workflow; may be given again", collect)
    .option("--interval <ms>", `milliseconds between two looks (default: ${INTERVAL})`)
    .action(async (options: Options) => {
      const interval = parseCount("--interval", options.interval) ?? INTERVAL;
      const filter = given({ status: parseStatuses(options.status), workflow: options.workflow });
      const interrupted = interruption();
      await withClient(options, async (app) => {
        const changes = new Changes(app, filter);
        await changes.next();
        if (!options.json) process.stderr.write("Watching. Ctrl-C ends it.\n");
        while (!interrupted.aborted) {
          await sleep(interval, undefined, { signal: interrupted }).catch(() => {});
          if (interrupted.aborted) break;
          for (const instance of await changes.next()) show(instance, options);
        }
      });
    });
}

function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => controller.abort());
  return controller.signal;
}

function show(instance: InstanceSummary, { json = false }: Options): void {
  const { id, workflow, status, updatedAt } = instance;
  if (json) writeJson(instance);
  else process.stdout.write(`${updatedAt.toISOString()}  ${paintStatus(status)}  ${workflow}  ${id}\n`);
}

/** What has changed from one look to the next. */
class Changes {
  readonly #app: Romancy;
  readonly #filter: InstanceFilter;
  /** What was seen last of instances that have changed lately. */
  #seen = new Map<string, InstanceSummary>();
  /** Epoch milliseconds of the newest change. */
  #newest = Date.now();

  constructor(app: Romancy, filter: InstanceFilter) {
    this.#app = app;
    this.#filter = filter;
  }

  /** Oldest change first. */
  async next(): Promise<InstanceSummary[]> {
    const found = await this.#read(new Date(this.#newest - OVERLAP));
    const changed = found.filter((instance) => this.#isNew(instance));
    this.#seen = new Map(found.map((instance) => [instance.id, instance]));
    this.#newest = Math.max(this.#newest, ...found.map(({ updatedAt }) => updatedAt.getTime()));
    return changed.toSorted((a, b) => a.updatedAt.getTime() - b.updatedAt.getTime());
  }

  #isNew({ id, status, updatedAt }: InstanceSummary): boolean {
    const seen = this.#seen.get(id);
    return seen === undefined || seen.status !== status || seen.updatedAt.getTime() !== updatedAt.getTime();
  }

  async #read(updatedFrom: Date): Promise<InstanceSummary[]> {
    const found: InstanceSummary[] = [];
    let pageToken: string | undefined;
    do {
      const page = await this.#app.listInstances({
        ...this.#filter,
        updatedFrom,
        limit: 1_000,
        ...given({ pageToken }),
      });
      found.push(...page.instances);
      pageToken = page.nextPageToken;
    } while (pageToken !== undefined);
    return found;
  }
}
