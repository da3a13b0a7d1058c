/** As it is, whatever a test's tools put in its place later. */
const { setImmediate } = globalThis;

/** Rows read in one go; other work gets its turn between two pages. */
const PAGE = 1_000;

/**
 * Reads rows page by page, in order.
 *
 * @param read gives at most `limit` rows from behind the last one
 */
export async function forEachRow<Row>(
  read: (last: Row | undefined, limit: number) => Promise<readonly Row[]>,
  use: (row: Row) => void,
): Promise<void> {
  let last: Row | undefined;
  do {
    const page = await read(last, PAGE);
    for (const row of page) use(row);
    last = page.length === PAGE ? page.at(-1) : undefined;
    if (last) await new Promise((resolve) => setImmediate(resolve));
  } while (last);
}
