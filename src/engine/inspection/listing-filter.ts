/** Filters of listings: checked, and in the store's terms. */
import { describe, ValidationError } from "../../core/errors.ts";
import { checkKeys, type KnownKeys } from "../../core/known-keys.ts";
import { INSTANCE_STATUSES, type InstanceStatus } from "../../core/status.ts";
import type { ListFilter, TimeRange } from "../../store/store.ts";
import { isText, listOf } from "../check-filter.ts";
import { conditionsOf } from "./input-filter.ts";

/**
 * Which instances to list: those that all of it is true of.
 *
 * @example
 * const { instances, nextPageToken } = await app.listInstances({ workflow: "order", status: ["failed", "blocked"] });
 */
export interface InstanceFilter {
  /** Of one status, or of one of several. */
  readonly status?: InstanceStatus | readonly InstanceStatus[];
  /** Of one workflow, or of one of several, by name. */
  readonly workflow?: string | readonly string[];
  /** Of this version of their workflows. */
  readonly version?: string;
  /** Whose ids begin with this text. */
  readonly idPrefix?: string;
  /** Whose id or workflow's name contains this text; ASCII's letters in upper and lower case are the same. */
  readonly search?: string;
  /** That have all of these tags. */
  readonly tags?: Readonly<Record<string, string>>;
  /** Created then or later. */
  readonly createdFrom?: Date;
  /** Created earlier than that. */
  readonly createdBefore?: Date;
  /** Changed for the last time then or later: claimed, suspended, ended. */
  readonly updatedFrom?: Date;
  /** Changed for the last time earlier than that. */
  readonly updatedBefore?: Date;
  /** Ended then or later; those that have not ended are left out. */
  readonly completedFrom?: Date;
  /** Ended earlier than that. */
  readonly completedBefore?: Date;
  /** Started as children by this instance. */
  readonly parentId?: string;
  /** Of the tree of instances that began with this one: itself, children, theirs, and what they went on as. */
  readonly rootId?: string;
  /**
   * That were started with these values, each at its path: names and positions, joined by dots. It begins with the
   * argument's position, such as `"1.items.0.sku"`; one that begins with a name is of the first argument. Numbers
   * compare as numbers; `null` is JSON's, and not a value that is missing. At most 10.
   *
   * @example
   * await app.listInstances({ input: { "0": "ORD-123", "1.items.0.sku": "A-7" } });
   */
  readonly input?: Readonly<Record<string, string | number | boolean | null>>;
  /** By the time of creation. Default `"newest"` first. */
  readonly order?: "newest" | "oldest";
  /** At most so many, 1 to 1,000. Default 50. */
  readonly limit?: number;
  /** `nextPageToken` of the page before; the rest of the filter must be the same. */
  readonly pageToken?: string;
}

/** A place in a listing. No two instances have the same, and none ever changes, so pages meet without gaps. */
export interface Place {
  readonly createdAt: number;
  readonly id: string;
}

/** Later than any time. */
const NEVER = Number.MAX_SAFE_INTEGER;

const KNOWN: KnownKeys<InstanceFilter> = {
  status: true,
  workflow: true,
  version: true,
  idPrefix: true,
  search: true,
  tags: true,
  createdFrom: true,
  createdBefore: true,
  updatedFrom: true,
  updatedBefore: true,
  completedFrom: true,
  completedBefore: true,
  parentId: true,
  rootId: true,
  input: true,
  order: true,
  limit: true,
  pageToken: true,
};

/**
 * @param after the place behind which the page begins; `undefined` for the first one
 * @throws ValidationError
 */
export function checkFilter(filter: InstanceFilter, after: Place | undefined): Omit<ListFilter, "limit"> {
  checkKeys("A filter", filter, KNOWN);
  const { order = "newest" } = filter;
  if (order !== "newest" && order !== "oldest") {
    throw new ValidationError(`order is ${String(order)}; it must be newest or oldest.`);
  }
  const created = rangeOf(filter, "created");
  const isEndAsked = filter.completedFrom !== undefined || filter.completedBefore !== undefined;
  const prefix = textOf(filter, "idPrefix");
  return {
    order,
    ...boundsOf(order, created, after),
    statuses: statusesOf(filter.status),
    workflows: listOf("workflow", filter.workflow) ?? null,
    version: textOf(filter, "version"),
    ids: prefix === null ? null : idsFrom(prefix),
    search: textOf(filter, "search"),
    tags: tagsOf(filter.tags),
    parentId: textOf(filter, "parentId"),
    rootId: textOf(filter, "rootId"),
    updated: rangeOf(filter, "updated"),
    completed: isEndAsked ? rangeOf(filter, "completed") : null,
    input: filter.input === undefined ? [] : conditionsOf(filter.input),
  };
}

/** Where to begin, and where to end: the page before, or the filter's own times. */
function boundsOf(
  order: "newest" | "oldest",
  { from, before }: TimeRange,
  after: Place | undefined,
): Pick<ListFilter, "start" | "endAt"> {
  // No id comes before the empty one, so none of that time is behind it; seen from the other side, all are.
  if (order === "oldest") {
    return { start: after && after.createdAt >= from ? after : { createdAt: from, id: "" }, endAt: before };
  }
  return { start: after && after.createdAt < before ? after : { createdAt: before, id: "" }, endAt: from };
}

function rangeOf(filter: InstanceFilter, what: "created" | "updated" | "completed"): TimeRange {
  return { from: timeOf(filter, `${what}From`, 0), before: timeOf(filter, `${what}Before`, NEVER) };
}

type TimeKey = `${"created" | "updated" | "completed"}${"From" | "Before"}`;

function timeOf(filter: InstanceFilter, key: TimeKey, otherwise: number): number {
  const date: unknown = filter[key];
  if (date === undefined) return otherwise;
  if (date instanceof Date && !Number.isNaN(date.getTime())) return date.getTime();
  throw new ValidationError(`${key} is ${describe(date)}; it must be a valid Date.`);
}

function statusesOf(given: InstanceFilter["status"]): readonly InstanceStatus[] | null {
  const names = listOf("status", given);
  for (const name of names ?? []) {
    if ((INSTANCE_STATUSES as readonly string[]).includes(name)) continue;
    throw new ValidationError(`status is ${name}; it must be one of ${INSTANCE_STATUSES.join(", ")}.`);
  }
  return (names as readonly InstanceStatus[] | undefined) ?? null;
}

function textOf(filter: InstanceFilter, key: "version" | "idPrefix" | "search" | "parentId" | "rootId"): string | null {
  const text: unknown = filter[key];
  if (text === undefined) return null;
  if (isText(text)) return text;
  throw new ValidationError(
    `${key} must be a text of one character or more, all of them whole and none NUL. Leave it out to list all.`,
  );
}

function tagsOf(tags: unknown): string | null {
  if (tags === undefined) return null;
  const isObject = typeof tags === "object" && tags !== null && !Array.isArray(tags);
  if (
    !isObject ||
    !Object.entries(tags)
      .flat()
      .every((text) => typeof text === "string" && text.isWellFormed())
  ) {
    throw new ValidationError("tags must be an object of texts, without half characters.");
  }
  return Object.keys(tags).length === 0 ? null : JSON.stringify(tags);
}

/** The last characters before and behind those that stand for halves of others. */
const BEFORE_HALVES = 0xd7ff;
const BEHIND_HALVES = 0xe000;
const LAST = 0x10ffff;

/** Ids compare as bytes of UTF-8, and so by the numbers of their characters. */
function idsFrom(prefix: string): { from: string; to: string } {
  const characters = Array.from(prefix, (character) => character.codePointAt(0) ?? 0);
  // Nothing comes behind the last character: then it is the one before that is raised.
  while (characters.at(-1) === LAST) characters.pop();
  const last = characters.pop();
  if (last === undefined) throw new ValidationError("idPrefix is not the beginning of any id.");
  const next = last === BEFORE_HALVES ? BEHIND_HALVES : last + 1;
  return { from: prefix, to: String.fromCodePoint(...characters, next) };
}
