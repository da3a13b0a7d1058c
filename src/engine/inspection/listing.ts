/** Listings of instances, page by page. */
import type { SummaryRecord, Views } from "../../store/store.ts";
import type { InstanceSummary } from "../../workflow/handle.ts";
import { foreignToken, readPage } from "../paging.ts";
import { summarise } from "./inspect.ts";
import { checkFilter, type InstanceFilter, type Place } from "./listing-filter.ts";

/** A page of a listing. */
export interface InstancePage {
  readonly instances: readonly InstanceSummary[];
  /** For the next page; absent on the last one. */
  readonly nextPageToken?: string;
  readonly hasMore: boolean;
}

/** @throws ValidationError */
export async function listInstances(views: Views, filter: InstanceFilter): Promise<InstancePage> {
  const { limit, pageToken } = filter;
  const read = (most: number): Promise<SummaryRecord[]> => {
    const after = pageToken === undefined ? undefined : readToken(pageToken);
    return views.list({ ...checkFilter(filter, after), limit: most });
  };
  const { rows, ...page } = await readPage(limit, read, ({ createdAt, id }) => `${createdAt}:${id}`);
  return { instances: rows.map(summarise), ...page };
}

function readToken(token: unknown): Place {
  const [, createdAt, id] = /^(\d{1,15}):(.+)$/s.exec(String(token)) ?? [];
  if (createdAt === undefined || id === undefined) throw foreignToken();
  return { createdAt: Number(createdAt), id };
}
