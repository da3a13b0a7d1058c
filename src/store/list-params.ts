/** From which index a listing is read, and what its statement is bound to. */
import type { Params } from "./runner.ts";
import { LISTED_STATUSES, type Source } from "./statements/listing.ts";
import type { InputCondition, ListFilter } from "./store.ts";

/** What belongs to one instance is fewest; then what is of statuses that have an index. */
export function sourceOf({ parentId, rootId, statuses }: ListFilter): Source {
  if (parentId !== null) return { type: "parent" };
  if (rootId !== null) return { type: "root" };
  return statuses?.every((status) => LISTED_STATUSES.has(status)) ? { type: "statuses", statuses } : { type: "all" };
}

/** All but what the source is bound to. */
export function restOf(filter: ListFilter): Params<string> {
  const { start, endAt, statuses, workflows, version, ids, search, tags, parentId, rootId, limit } = filter;
  const { updated, completed, input } = filter;
  const inputs = input.map(({ steps, value }, index) => ({
    [`value${index}`]: value,
    [`path${index}`]: pathOf(PLAIN, steps),
    [`lists${index}`]: listsOf(PLAIN, steps),
    [`richPath${index}`]: pathOf(RICH, steps),
    [`richLists${index}`]: listsOf(RICH, steps),
  }));
  return {
    startAt: start.createdAt,
    startId: start.id,
    endAt,
    anyStatus: statuses ? 0 : 1,
    statuses: statuses ?? [],
    anyWorkflow: workflows ? 0 : 1,
    workflows: workflows ?? [],
    version,
    idFrom: ids?.from ?? null,
    idTo: ids?.to ?? null,
    search,
    tags,
    parentId,
    rootId,
    updatedFrom: updated.from,
    updatedBefore: updated.before,
    anyEnd: completed ? 0 : 1,
    completedFrom: completed?.from ?? 0,
    completedBefore: completed?.before ?? 0,
    limit,
    ...(Object.assign({}, ...inputs) as Params<string>),
  };
}

/** Where arguments are in a stored input: see the codec. */
const PLAIN = "$";
const RICH = '$."$rich"."json"';

function pathOf(base: string, steps: InputCondition["steps"]): string {
  return base + steps.map((step) => (typeof step === "number" ? `[${step}]` : `."${step}"`)).join("");
}

function listsOf(base: string, steps: InputCondition["steps"]): string {
  const lists = steps.flatMap((step, index) => (typeof step === "number" ? [pathOf(base, steps.slice(0, index))] : []));
  return JSON.stringify(lists);
}
