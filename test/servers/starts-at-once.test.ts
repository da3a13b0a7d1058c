/** Two commits that start instances of the same ids, each in another order. */
import { expect, it, vi } from "vitest";
import type { Advance, Change } from "../../src/core/commit.ts";
import { DEFAULT_NAMING } from "../../src/store/naming.ts";
import { newInstance } from "../store/new-instance.ts";
import { openStore } from "../store/stores.ts";
import { testDatabase } from "../support/apps.ts";
import { isWaiting, waiting } from "../support/locks.ts";
import { until } from "../support/wait.ts";

/** In the order of their bytes, which is not that of a dictionary. */
const FORWARD = ["Z", "m", "z"];

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

const byUsers = (_: string, ids: readonly string[]): Change[] => ids.map(newInstance);
const asChildren = (parent: string, ids: readonly string[]): Change[] => [starting(parent, ids)];

it.each([
  ["by users", byUsers, byUsers],
  ["as children", asChildren, asChildren],
  ["by users and as children", byUsers, asChildren],
])("do not wait for each other: %s", async (_, one, other) => {
  const { database, store } = await openStore(DEFAULT_NAMING);
  await store.commit([newInstance("one"), newInstance("two")], false);
  const isDeadlock = vi.spyOn(database, "isDeadlock");
  // Somebody has the id in the middle, so that each would have begun before the other can end.
  const blocker = await database.begin();
  await blocker.script(`insert into romancy_instances (id, workflow, status, input, root_id, epoch, created_at, updated_at)
    values ('m', 'flow', 'running', '[]', 'm', 1, 1, 1)`);
  const first = store.commit(one("one", FORWARD), false);
  await until(isWaiting);
  const second = store.commit(other("two", FORWARD.toReversed()), false);
  await until(async () => (await waiting()) > 1);
  await blocker.rollback();
  await Promise.all([first, second]);
  expect(isDeadlock.mock.results.filter(({ value }) => value === true)).toEqual([]);
  const there = await testDatabase().rows("select id from romancy_instances where id in ('Z', 'm', 'z')");
  expect(there).toHaveLength(FORWARD.length);
});
