/** A batch does what its changes do one by one: two stores, and what is in them. */
import { afterAll, beforeAll, expect } from "vitest";
import type { Change, ChangeResult } from "../../src/core/commit.ts";
import { applyChange } from "../../src/store/batch/each.ts";
import { inTransaction } from "../../src/store/transaction.ts";
import { testDatabase } from "../support/apps.ts";
import { newInstance } from "./new-instance.ts";
import { type OpenStore, openStore } from "./stores.ts";

/** For random batches; given to see what a seed has found once more. */
export const seed: number = Number(process.env["STORE_SEED"] ?? Date.now() % 1_000_000);

/** Has errors told without where they were made: that differs between the two ways, and is stored with them. */
export function withoutStacks(): void {
  const { stackTraceLimit } = Error;
  beforeAll(() => {
    Error.stackTraceLimit = 0;
  });
  afterAll(() => {
    Error.stackTraceLimit = stackTraceLimit;
  });
}

/** One change at a time, each in a transaction of its own. */
async function oneByOne({ database, runner }: OpenStore, changes: readonly Change[]): Promise<ChangeResult[]> {
  const results: ChangeResult[] = [];
  for (const change of changes) {
    try {
      results.push(await inTransaction(database, (transaction) => applyChange(transaction, runner, change)));
    } catch (error) {
      results.push({ type: "refused", error });
    }
  }
  return results;
}

/** Without what is not said when there is nothing to say. */
const types = (results: readonly ChangeResult[]): unknown[] =>
  results.map((result) => {
    if (result.type === "refused") return { type: "refused" };
    if (result.type !== "applied") return result;
    const { answers = [], receivers = 0, unheard = [] } = result;
    return { type: "applied", answers, receivers, unheard };
  });

/** What is in the store, but for what no change writes. */
export async function contents(prefix: string): Promise<unknown> {
  const instances = await testDatabase().rows(
    `select id, workflow, status, input, output, error, root_id, parent_id, tags, priority, wake_at, worker_id, epoch, signals,
            recoveries, detached, awaited, version, trace_context, created_at, updated_at, completed_at from ${prefix}instances`,
  );
  const history = await testDatabase().rows(
    `select instance_id, seq, kind, operation_id, data, at from ${prefix}history`,
  );
  const inbox = await testDatabase().rows(
    `select instance_id, position, type, message_key, fingerprint, attributes, data, created_at from ${prefix}inbox`,
  );
  const subscriptions = await testDatabase().rows(`select instance_id, type, message_key from ${prefix}subscriptions`);
  const outbox = await testDatabase().rows(
    `select instance_id, id, attributes, body, is_binary, status, attempts, queued_at, created_at, published_at,
            last_error, claimed_by, claim_token from ${prefix}outbox order by instance_id, position`,
  );
  const kept = await testDatabase().rows(
    `select id, channel, attributes, data, created_at, taken_at from ${prefix}channel_messages`,
  );
  const subscribed = await testDatabase().rows(
    `select channel, instance_id, mode, waiting_since from ${prefix}channel_subscriptions`,
  );
  const sorted = (rows: readonly unknown[]): unknown[] => rows.map((row) => JSON.stringify(row)).toSorted();
  return {
    instances: sorted(instances),
    history: sorted(history),
    inbox: sorted(inbox),
    subscriptions: sorted(subscriptions),
    kept: sorted(kept),
    subscribed: sorted(subscribed),
    outbox,
  };
}

const TABLES = [
  "outbox",
  "history",
  "inbox",
  "subscriptions",
  "channels",
  "channel_messages",
  "channel_subscriptions",
  "chains",
  "instances",
] as const;

export interface Both {
  readonly together: OpenStore;
  readonly apart: OpenStore;
}

/** Two stores in one database. */
export async function openBoth(): Promise<Both> {
  return {
    together: await openStore({ prefix: "together_", schema: undefined }),
    apart: await openStore({ prefix: "apart_", schema: undefined }),
  };
}

/** Has batches of changes applied to the instances, together and one by one, and compares what came of it. */
export function comparison({ together, apart }: Both, ids: readonly string[]) {
  return async (batches: readonly Change[][]): Promise<void> => {
    for (const prefix of ["together_", "apart_"]) {
      for (const table of TABLES) {
        await testDatabase().exec(`delete from ${prefix}${table}`);
      }
    }
    for (const changes of [ids.map(newInstance), ...batches]) {
      const results = await together.store.commit(changes, false);
      expect(types(results)).toEqual(types(await oneByOne(apart, changes)));
    }
    expect(await contents("together_")).toEqual(await contents("apart_"));
  };
}
