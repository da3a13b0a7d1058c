import type { Command } from "commander";
import type { InstanceDescription, WaitDescription } from "../../index.ts";
import { withClient } from "../client.ts";
import { type CommonOptions, databaseCommand } from "../command.ts";
import { compact } from "../json.ts";
import { fields } from "../table.ts";
import { answer, paintStatus } from "../terminal.ts";

export function getCommand(): Command {
  return databaseCommand("get", "Show an instance: how it stands, what it waits for, its input, output and error.", [
    "get ORD-123",
    "get ORD-123 --json | jq .status",
  ])
    .argument("<id>", "the instance")
    .action(async (id: string, options: CommonOptions) => {
      const instance = await withClient(options, (app) => app.getInstance(id));
      answer(options, { json: instance, text: textOf(instance) });
    });
}

function textOf(instance: InstanceDescription): string {
  const { tags, compensationErrors, waitingFor } = instance;
  return fields([
    ["id", instance.id],
    ["workflow", instance.workflow],
    ["version", instance.version],
    ["status", paintStatus(instance.status)],
    ["tags", Object.keys(tags).length > 0 ? compact(tags) : undefined],
    ["priority", instance.priority === 0 ? undefined : String(instance.priority)],
    ["created", instance.createdAt.toISOString()],
    ["updated", instance.updatedAt.toISOString()],
    ["completed", instance.completedAt?.toISOString()],
    ["worker", instance.workerId],
    ["parent", instance.parentId],
    ["continued from", instance.continuedFrom],
    ["cancel requested", instance.cancelRequestedAt?.toISOString()],
    ["cancel reason", instance.cancelReason],
    ["input", compact(instance.input)],
    ["output", "output" in instance ? compact(instance.output) : undefined],
    ["error", "error" in instance ? messageOf(instance.error) : undefined],
    ...waitingFor.map((wait) => ["waits for", waitOf(wait)] as const),
    ...compensationErrors.map((error) => ["not undone", error.message] as const),
  ]);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : compact(error);
}

function waitOf({ operationId, until, ...wait }: WaitDescription): string {
  const limit = until === undefined ? "" : `, until ${until.toISOString()}`;
  return `${operationId}: ${targetOf(wait)}${limit}`;
}

function targetOf(wait: Pick<WaitDescription, "kind">): string {
  const { kind, ...rest } = wait;
  const facts = Object.values(rest).filter((value) => value !== undefined);
  return [kind, ...facts.map((value) => (typeof value === "string" ? value : compact(value)))].join(" ");
}
