/** Two commits that start instances of the same ids, each in another order. */
import { expect, it, vi } from "vitest";
import type { Advance, Change } from "../../src/core/commit.ts";
import { DEFAULT_NAMING } from "../../src/store/naming.ts";
import { newInstance } from "../store/new-instance.ts";
import { openStore } from "../store/stores.ts";
import { testDatabase } from "../support/apps.ts";
import { isWaiting, waiting } from "../support/locks.ts";
import { until } from "../support/wait.ts";

const FORWARD = ["a", "m", "z"];

/** Starts children of the ids. */
function starting(parent: string, ids: readonly string[]): Advance {
  const actions = ids.map((id, index) => ({
    seq: index + 1,
    operationId: `flow:${index}`,
    at: 1,
    request: {
      type: "start_child" as const,
      awaits: false,
      child: {
        id,
        workflow: "flow",
        input: "[]",
        tags: null,
        priority: 0,
        version: null,
        traceContext: null,
        subscriptions: [],
        isDetached: true,
      },
    },
  }));
  return { type: "advance", instanceId: parent, epoch: 1, events: [], patch: undefined, actions };
}

it.each([
  ["by users", (_: string, ids: readonly string[]): Change[] => ids.map(newInstance)],
  ["as children", (parent: string, ids: readonly string[]): Change[] => [starting(parent, ids)]],
])("do not wait for each other: %s", async (_, changes) => {
  const { database, store } = await openStore(DEFAULT_NAMING);
  await store.commit([newInstance("one"), newInstance("two")], false);
  const isDeadlock = vi.spyOn(database, "isDeadlock");
  // Somebody has the id in the middle, so that each would have begun before the other can end.
  const other = await database.begin();
  await other.script(`insert into romancy_instances (id, workflow, status, input, root_id, epoch, created_at, updated_at)
    values ('m', 'flow', 'running', '[]', 'm', 1, 1, 1)`);
  const first = store.commit(changes("one", FORWARD), false);
  await until(isWaiting);
  const second = store.commit(changes("two", FORWARD.toReversed()), false);
  await until(async () => (await waiting()) > 1);
  await other.rollback();
  await Promise.all([first, second]);
  const deadlocks = await Promise.all(isDeadlock.mock.results.map(({ value }) => value as boolean));
  expect(deadlocks.filter(Boolean)).toEqual([]);
  const there = await testDatabase().rows("select id from romancy_instances where id in ('a', 'm', 'z')");
  expect(there).toHaveLength(FORWARD.length);
});
