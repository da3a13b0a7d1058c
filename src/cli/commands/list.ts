import type { Command } from "commander";
import type { InstanceFilter, InstancePage } from "../../index.ts";
import { withClient } from "../client.ts";
import { type CommonOptions, collect, databaseCommand } from "../command.ts";
import { given, parseCount, parseDate, parsePairs, parseStatuses, parseValues } from "../parse.ts";
import { table } from "../table.ts";
import { answer, paintStatus } from "../terminal.ts";

interface Options extends CommonOptions {
  readonly status?: readonly string[];
  readonly workflow?: readonly string[];
  readonly workflowVersion?: string;
  readonly idPrefix?: string;
  readonly search?: string;
  readonly tag?: readonly string[];
  readonly createdFrom?: string;
  readonly createdBefore?: string;
  readonly updatedFrom?: string;
  readonly updatedBefore?: string;
  readonly completedFrom?: string;
  readonly completedBefore?: string;
  readonly parent?: string;
  readonly root?: string;
  readonly input?: readonly string[];
  readonly order?: "newest" | "oldest";
  readonly limit?: string;
  readonly pageToken?: string;
}

export function listCommand(): Command {
  return databaseCommand("list", "List instances, newest first, page by page.", [
    "list --status failed,blocked",
    "list --workflow order --tag customer=c-7 --created-from 2026-01-31",
    "list --input 0=ORD-123 --input 1.items.0.sku=A-7",
    "list --status failed --json | jq -r '.instances[].id' | xargs romancy retry",
  ])
    .option("--status <status>", "of this status; several with commas, or the option again", collect)
    .option("--workflow <name>", "of this workflow; may be given again", collect)
    .option("--workflow-version <version>", "of this version of their workflow")
    .option("--id-prefix <text>", "whose ids begin so")
    .option("--search <text>", "whose id or workflow's name contains this")
    .option("--tag <name=value>", "that have this tag; may be given again", collect)
    .option("--created-from <time>", "created then or later")
    .option("--created-before <time>", "created earlier")
    .option("--updated-from <time>", "changed for the last time then or later")
    .option("--updated-before <time>", "changed for the last time earlier")
    .option("--completed-from <time>", "ended then or later")
    .option("--completed-before <time>", "ended earlier")
    .option("--parent <id>", "started by this instance")
    .option("--root <id>", "of the tree that began with this instance")
    .option("--input <path=value>", "started with this value there; may be given again", collect)
    .option("--order <order>", "newest or oldest first")
    .option("--limit <n>", "at most so many, 1 to 1000 (default: 50)")
    .option("--page-token <token>", "the page after the one that gave this token")
    .action(async (options: Options) => {
      const filter = filterOf(options);
      const page = await withClient(options, (app) => app.listInstances(filter));
      answer(options, { json: page, text: textOf(page) });
    });
}

function filterOf(options: Options): InstanceFilter {
  const { idPrefix, search, order, pageToken } = options;
  return given({
    idPrefix,
    search,
    order,
    pageToken,
    status: parseStatuses(options.status),
    workflow: options.workflow,
    version: options.workflowVersion,
    tags: parsePairs("--tag", options.tag),
    createdFrom: parseDate("--created-from", options.createdFrom),
    createdBefore: parseDate("--created-before", options.createdBefore),
    updatedFrom: parseDate("--updated-from", options.updatedFrom),
    updatedBefore: parseDate("--updated-before", options.updatedBefore),
    completedFrom: parseDate("--completed-from", options.completedFrom),
    completedBefore: parseDate("--completed-before", options.completedBefore),
    parentId: options.parent,
    rootId: options.root,
    input: parseValues("--input", options.input),
    limit: parseCount("--limit", options.limit),
  });
}

function textOf({ instances, nextPageToken }: InstancePage): string {
  if (instances.length === 0) return "No instances.";
  const rows = instances.map(({ id, workflow, status, createdAt, updatedAt }) => [
    id,
    workflow,
    paintStatus(status),
    createdAt.toISOString(),
    updatedAt.toISOString(),
  ]);
  const listing = table(["id", "workflow", "status", "created", "updated"], rows);
  return nextPageToken === undefined ? listing : `${listing}\n\nMore: --page-token ${nextPageToken}`;
}
