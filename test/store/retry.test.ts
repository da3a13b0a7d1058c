/** A retry whose answer was lost is looked for, and takes place once. */
import { expect, it } from "vitest";
import { encodeThrown } from "../../src/core/codec.ts";
import type { Advance, Change } from "../../src/core/commit.ts";
import { testDatabase } from "../support/apps.ts";
import { newInstance } from "./new-instance.ts";
import { type OpenStore, openStore } from "./stores.ts";

/** One that has failed, in its first epoch. */
async function failed(store: OpenStore["store"], id: string): Promise<void> {
  const patch = { event: "fail", at: 2, error: encodeThrown(new Error("no")), compensationErrors: null } as const;
  const advance: Advance = { type: "advance", instanceId: id, epoch: 1, events: [], patch };
  await store.commit([newInstance(id)], false);
  await store.commit([advance], false);
}

const retry = (instanceId: string, at: number): Change => ({ type: "retry", instanceId, at });

it("takes place once when its answer was lost, and later ones are refused", async () => {
  const { store } = await openStore();
  await failed(store, "i");
  expect(await store.commit([retry("i", 5)], false)).toEqual([{ type: "delivered", receivers: 1 }]);
  expect(await store.commit([retry("i", 5)], true)).toEqual([{ type: "delivered", receivers: 1 }]);
  expect(await store.commit([retry("i", 6)], true)).toEqual([
    { type: "not_retryable", instanceId: "i", status: "pending", obstacle: { type: "status" } },
  ]);
  const rows = await testDatabase().rows("select seq, kind, at from romancy_history where instance_id = 'i'");
  expect(rows.map(({ kind }) => kind)).toEqual(["retried"]);
});

it("takes place though its answer was lost before it was committed", async () => {
  const { store } = await openStore();
  await failed(store, "i");
  expect(await store.commit([retry("i", 5), retry("nobody", 5)], true)).toEqual([
    { type: "delivered", receivers: 1 },
    { type: "undeliverable", instanceId: "nobody", status: undefined },
  ]);
});

it("keeps out what the run before may still write", async () => {
  const { store } = await openStore();
  await failed(store, "i");
  await store.commit([retry("i", 5)], false);
  const late = { seq: 9, at: 9, operationId: "late:1", kind: "timer_fired" } as const;
  const change: Advance = { type: "advance", instanceId: "i", epoch: 1, events: [late], patch: undefined };
  expect(await store.commit([change], false)).toEqual([{ type: "fenced" }]);
  const [claim] = await store.claim("w2", {
    workflows: ["flow"],
    now: 10,
    limit: 1,
    leastRecoveries: 0,
    mostRecoveries: 0,
  });
  expect(claim).toMatchObject({ id: "i", epoch: 3, recoveries: 0 });
});
