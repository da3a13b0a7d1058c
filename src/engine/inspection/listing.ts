/** Listings of instances, page by page. */
import { ValidationError } from "../../core/errors.ts";
import type { Views } from "../../store/store.ts";
import type { InstanceSummary } from "../../workflow/handle.ts";
import { summarise } from "./inspect.ts";
import { checkFilter, type InstanceFilter, type Place } from "./listing-filter.ts";

/** A page of a listing. */
export interface InstancePage {
  readonly instances: readonly InstanceSummary[];
  /** For the next page; absent on the last one. */
  readonly nextPageToken?: string;
  readonly hasMore: boolean;
}

const MOST_INSTANCES = 1_000;

/** @throws ValidationError */
export async function listInstances(views: Views, filter: InstanceFilter): Promise<InstancePage> {
  const { limit = 50, pageToken } = filter;
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST_INSTANCES) {
    throw new ValidationError(`limit is ${String(limit)}; it must be a whole number from 1 to 1,000.`);
  }
  const after = pageToken === undefined ? undefined : readToken(pageToken);
  // One more than asked for tells whether there is a next page.
  const records = await views.list({ ...checkFilter(filter, after), limit: limit + 1 });
  const page = records.slice(0, limit);
  const last = page.at(-1);
  const hasMore = records.length > limit;
  return {
    instances: page.map(summarise),
    hasMore,
    ...(hasMore && last && { nextPageToken: `${last.createdAt}:${last.id}` }),
  };
}

function readToken(token: unknown): Place {
  const [, createdAt, id] = /^(\d{1,15}):(.+)$/s.exec(String(token)) ?? [];
  if (createdAt === undefined || id === undefined) {
    throw new ValidationError("pageToken is not one that a listing gave. Pass `nextPageToken` as it is.");
  }
  return { createdAt: Number(createdAt), id };
}
