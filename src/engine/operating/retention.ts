/** What has ended long ago is removed: by workers now and then, and by operators. */
import { type Duration, toMilliseconds } from "../../core/duration.ts";
import { ValidationError } from "../../core/errors.ts";
import { checkKeys, type KnownKeys } from "../../core/known-keys.ts";
import type { CreatedPlace, EndedFilter, EndedPage, EndedTree, StoredRetention } from "../../store/store.ts";
import { checkCount, listOf } from "../check-filter.ts";
import type { RetentionSettings } from "./retention-options.ts";

/** How an instance can have ended for good. */
type FinalStatus = "completed" | "failed" | "cancelled";

const FINAL: ReadonlySet<unknown> = new Set<FinalStatus>(["completed", "failed", "cancelled"]);

/**
 * What to remove.
 *
 * @example
 * const { instances } = await app.prune({ olderThan: "30 days", workflow: "order", dryRun: true });
 */
export interface PruneOptions {
  /** What has ended longer ago than that. */
  readonly olderThan: Duration;
  /** Of one workflow, or of one of several, by name: that of the instance that began by itself. Default: of all. */
  readonly workflow?: string | readonly string[];
  /** What that instance, or what it went on as, has come to. Default: whatever it was. */
  readonly status?: FinalStatus | readonly FinalStatus[];
  /** At most so many trees of instances, those that were created first. Default: all. */
  readonly limit?: number;
  /** Only counts what would be removed. Default `false`. */
  readonly dryRun?: boolean;
}

/** What was removed, or would be. */
export interface PruneResult {
  readonly instances: number;
  /** How many of them began by themselves; the others are their children, and what each went on as. */
  readonly trees: number;
}

/** Instances that are looked at in one go; those that live cost hardly anything. */
const WINDOW = 1_000;

/** Trees that are removed in one go, when they are small. */
const TOGETHER = 100;

const KNOWN: KnownKeys<PruneOptions> = {
  olderThan: true,
  workflow: true,
  status: true,
  limit: true,
  dryRun: true,
};

const NOTHING: PruneResult = { instances: 0, trees: 0 };

/** @throws ValidationError */
export async function prune(retention: StoredRetention, options: PruneOptions, now: number): Promise<PruneResult> {
  // A part that is misspelt must not make for more being removed.
  checkKeys("What to prune", options, KNOWN);
  const { olderThan, dryRun = false, limit = Number.POSITIVE_INFINITY } = options;
  const before = now - toMilliseconds(olderThan, "olderThan");
  if (limit !== Number.POSITIVE_INFINITY) checkCount("limit", limit);
  const names = listOf("workflow", options.workflow);
  const statuses = listOf("status", options.status);
  const wrong = statuses?.find((status) => !FINAL.has(status));
  if (wrong !== undefined) {
    throw new ValidationError(
      `status is ${wrong}; it must be one of ${[...FINAL].join(", ")}: only what has ended is removed.`,
    );
  }
  const isAsked = ({ status }: EndedTree): boolean => statuses?.includes(status) ?? true;
  let sum = NOTHING;
  for await (const trees of endedTrees(retention, { before, workflows: names, others: [] })) {
    const asked = trees.filter(isAsked).slice(0, limit - sum.trees);
    sum = plus(sum, await (dryRun ? count(retention, asked) : remove(retention, asked, before)));
    if (sum.trees >= limit) return sum;
  }
  return sum;
}

/** Removes what is older than it may be, until the signal. */
export async function sweep(
  retention: StoredRetention,
  { instances, workflows, givenUpEvents }: RetentionSettings,
  now: number,
  signal: AbortSignal,
): Promise<void> {
  if (givenUpEvents !== Number.POSITIVE_INFINITY) await forgetEvents(retention, now - givenUpEvents, signal);
  const named = [...workflows.keys()];
  const byAge = Map.groupBy(named, (name) => workflows.get(name) as number);
  const ages = [
    ...[...byAge].map(([age, of]) => ({ age, workflows: of, others: [] })),
    { age: instances, workflows: undefined, others: named },
  ];
  for (const { age, ...which } of ages) {
    if (age === Number.POSITIVE_INFINITY) continue;
    for await (const trees of endedTrees(retention, { ...which, before: now - age })) {
      if (signal.aborted) return;
      await remove(retention, trees, now - age);
    }
  }
}

async function forgetEvents(retention: StoredRetention, before: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && (await retention.forgetGivenUp(before)));
}

/** Trees of which nothing lives, oldest first; each is looked at once. */
async function* endedTrees(
  retention: StoredRetention,
  which: Pick<EndedFilter, "before" | "workflows" | "others">,
): AsyncGenerator<readonly EndedTree[]> {
  let after: CreatedPlace | undefined = { createdAt: Number.MIN_SAFE_INTEGER, id: "" };
  while (after) {
    const page: EndedPage = await retention.ended({ ...which, after, limit: WINDOW });
    const gone = page.trees.filter(({ isHeld }) => !isHeld);
    for (let first = 0; first < gone.length; first += TOGETHER) yield gone.slice(first, first + TOGETHER);
    after = page.next;
  }
}

async function count(retention: StoredRetention, trees: readonly EndedTree[]): Promise<PruneResult> {
  return { instances: await retention.count(trees.map(({ id }) => id)), trees: trees.length };
}

async function remove(retention: StoredRetention, trees: readonly EndedTree[], before: number): Promise<PruneResult> {
  let sum = NOTHING;
  for (let left: readonly string[] = trees.map(({ id }) => id); left.length > 0; ) {
    const removal = await retention.remove(left, before);
    sum = plus(sum, { instances: removal.instances, trees: removal.trees.length });
    // When others are at all that is left, it is for another time.
    left = removal.instances > 0 ? removal.left : [];
  }
  return sum;
}

function plus(a: PruneResult, b: PruneResult): PruneResult {
  return { instances: a.instances + b.instances, trees: a.trees + b.trees };
}
