/** An instance's history as a plain object: written by one process, read by any later one. */
import { InstanceNotFoundError, ValidationError } from "../../core/errors.ts";
import { type HistoryEvent, isEventKind } from "../../core/history.ts";
import { INSTANCE_STATUSES, type InstanceStatus } from "../../core/status.ts";
import type { InstanceRecord, Views } from "../../store/store.ts";
import { checkText } from "../../workflow/activity.ts";

/** The only form so far. A later one has another number, and this one stays readable. */
const FORMAT = 1;

/**
 * What `app.exportHistory` gives: plain JSON, to be kept in a file. Values stand as they are stored, as texts of JSON; what
 * is more than JSON is in the form of superjson under `$rich`. Times are epoch milliseconds.
 */
export interface HistoryExport {
  readonly format: 1;
  readonly instance: ExportedInstance;
  /** In order of `seq`. */
  readonly events: readonly HistoryEvent[];
}

/** The instance at the time of the export. */
export interface ExportedInstance {
  readonly id: string;
  readonly workflow: string;
  /** The option `version` of the workflow that it began with; `null` for none. */
  readonly version: string | null;
  readonly status: InstanceStatus;
  /** The list of arguments. */
  readonly input: string;
  /** What it returned; `null` unless it has completed. */
  readonly output: string | null;
  /** What it threw, or what blocks it; `null` for nothing. */
  readonly error: string | null;
  readonly cancelReason: string | null;
  /** A list of the compensations that failed for good; `null` for none. */
  readonly compensationErrors: string | null;
  readonly parentId: string | null;
  readonly continuedFrom: string | null;
  readonly createdAt: number;
  readonly completedAt: number | null;
}

/** @throws InstanceNotFoundError, ValidationError */
export async function exportHistory(views: Views, id: string): Promise<HistoryExport> {
  checkText("instance", id);
  // In this order: of one that has ended by then the history is complete.
  const record = await views.instance(id);
  if (!record) throw new InstanceNotFoundError(id);
  return { format: FORMAT, instance: factsOf(record), events: await views.history(id) };
}

function factsOf(record: InstanceRecord): ExportedInstance {
  const { id, workflow, version, status, input, output, error, cancelReason, compensationErrors } = record;
  const { parentId, continuedFrom, createdAt, completedAt } = record;
  return {
    id,
    workflow,
    version,
    status,
    input,
    output,
    error,
    cancelReason,
    compensationErrors,
    parentId,
    continuedFrom,
    createdAt,
    completedAt,
  };
}

/**
 * Checks what was read from a file, as far as a replay relies on it.
 *
 * @throws ValidationError
 */
export function readExport(value: unknown): HistoryExport {
  const { format, instance, events } = objectOf(value, "It is not an object.");
  if (format !== FORMAT) {
    refuse(`Its format is ${JSON.stringify(format) ?? "missing"}; this version of romancy reads ${FORMAT}.`);
  }
  checkInstance(objectOf(instance, "It has no `instance`."));
  if (!Array.isArray(events)) refuse("It has no list of `events`.");
  for (const [index, event] of events.entries()) checkEvent(event, events[index - 1]);
  return value as HistoryExport;
}

const TEXTS = ["id", "workflow", "input"];
const TEXTS_OR_NULL = ["version", "output", "error", "cancelReason", "compensationErrors"];

function checkInstance(instance: Readonly<Record<string, unknown>>): void {
  const isWrong = (name: string): boolean => typeof instance[name] !== "string";
  const wrong = TEXTS.find(isWrong) ?? TEXTS_OR_NULL.find((name) => instance[name] !== null && isWrong(name));
  if (wrong !== undefined) refuse(`Its \`instance.${wrong}\` is not a text.`);
  if (!INSTANCE_STATUSES.includes(instance["status"] as InstanceStatus)) {
    refuse(`Its \`instance.status\` is ${JSON.stringify(instance["status"]) ?? "missing"}.`);
  }
}

function checkEvent(event: unknown, before: { readonly seq: number } | undefined): void {
  const { seq, kind, operationId } = objectOf(event, "One of its events is not an object.");
  if (typeof seq !== "number" || seq <= (before?.seq ?? 0)) refuse("Its events are not in the order of `seq`.");
  if (typeof operationId !== "string") refuse(`Its event ${String(seq)} has no \`operationId\`.`);
  if (!isEventKind(kind)) {
    refuse(`Its event ${String(seq)} is of the kind ${String(kind)}, which this version of romancy does not know.`);
  }
}

function objectOf(value: unknown, otherwise: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null) return value as Readonly<Record<string, unknown>>;
  return refuse(otherwise);
}

function refuse(reason: string): never {
  throw new ValidationError(`This is not a history that \`app.exportHistory\` gave. ${reason}`);
}
