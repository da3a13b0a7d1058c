/** Listings, page by page. */
import { ValidationError } from "../core/errors.ts";

interface Page<Row> {
  readonly rows: readonly Row[];
  /** For the next page; absent on the last one. */
  readonly nextPageToken?: string;
  readonly hasMore: boolean;
}

/** The most rows of a page. */
const LARGEST_PAGE = 1_000;

/**
 * @param limit at most so many rows
 * @param read reads as many as it is told, if there are so many
 * @param tokenOf says where the page behind a row begins
 * @throws ValidationError
 */
export async function readPage<Row>(
  limit: number | undefined,
  read: (limit: number) => Promise<readonly Row[]>,
  tokenOf: (row: Row) => string,
): Promise<Page<Row>> {
  const size = sizeOf(limit);
  // One more than asked for tells whether there is a next page.
  const found = await read(size + 1);
  const rows = found.slice(0, size);
  const last = rows.at(-1);
  const hasMore = found.length > size;
  return { rows, hasMore, ...(hasMore && last !== undefined && { nextPageToken: tokenOf(last) }) };
}

function sizeOf(limit = 50): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= LARGEST_PAGE) return limit;
  throw new ValidationError(`limit is ${String(limit)}; it must be a whole number from 1 to 1,000.`);
}

/** Why a token is not taken. */
export function foreignToken(): ValidationError {
  return new ValidationError("pageToken is not one that a listing gave. Pass `nextPageToken` as it is.");
}
