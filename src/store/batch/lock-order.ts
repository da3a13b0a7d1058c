/**
 * The order in which commits lock the rows of instances, those that they insert among them: who is to insert an id waits
 * for somebody else's insert of it. In another order two batches would wait for each other.
 */
export function inLockOrder<Row>(rows: readonly Row[], idOf: (row: Row) => string): Row[] {
  return rows.toSorted((a, b) => {
    const [first, second] = [idOf(a), idOf(b)];
    // Those of one instance stay as they are.
    return first < second ? -1 : Number(first > second);
  });
}
