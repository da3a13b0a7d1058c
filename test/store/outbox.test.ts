/** Events for brokers in the store: whose they are, in which order, and for how long. */
import { describe, expect, it } from "vitest";
import type { SqlStore } from "../../src/store/sql-store.ts";
import type { ClaimedEvent, Settlement } from "../../src/store/store.ts";
import { testDatabase } from "../support/apps.ts";
import { countEvents } from "../support/outbox.ts";
import { newInstance, OWNER } from "./new-instance.ts";
import { openStore } from "./stores.ts";

const NOTHING: ReadonlySet<number> = new Set();

const worker = { id: OWNER, incarnation: "one", host: "h", pid: 1, born: "b" };

/** Events of these ids, of instances that are called as the ids begin. */
async function put(store: SqlStore, ...ids: string[]): Promise<void> {
  const instances = [...new Set(ids.map(instanceOf))];
  await store.commit(instances.map(newInstance), false);
  for (const id of ids) {
    const event = { id, attributes: { id }, body: "1", isBinary: false, at: Date.now() };
    const posts = [{ type: "emit", event }] as const;
    const results = await store.commit(
      [{ type: "advance", instanceId: instanceOf(id), epoch: 1, events: [], patch: undefined, posts }],
      false,
    );
    expect(results).toMatchObject([{ type: "applied" }]);
  }
}

const instanceOf = (id: string): string => id.replace(/-\d+$/, "");

const idsOf = (claimed: readonly ClaimedEvent[]): unknown[] => claimed.map(({ attributes }) => attributes["id"]);

const published = ({ position, token, instanceId }: ClaimedEvent): Settlement => ({
  type: "published",
  position,
  token,
  instanceId,
});

async function claim(store: SqlStore, token: string, limit = 100, held = NOTHING): Promise<readonly ClaimedEvent[]> {
  return store.outbox.claim(token, token, limit, held);
}

describe("a claim", () => {
  it("takes what is due, in order, up to the limit", async () => {
    const { store } = await openStore();
    await put(store, "a-1", "b-1", "a-2", "c-1");
    const first = await claim(store, "t-1", 3);
    expect(idsOf(first)).toEqual(["a-1", "b-1", "a-2"]);
    expect(first[0]).toMatchObject({ instanceId: "a", body: "1", isBinary: false, attempts: 0, token: "t-1" });
    expect(idsOf(await claim(store, "t-2"))).toEqual(["c-1"]);
    expect(await claim(store, "t-3")).toEqual([]);
  });

  it("takes nothing of an instance of which another sends something, until that is settled", async () => {
    const { store } = await openStore();
    await put(store, "a-1", "a-2");
    const [first] = await claim(store, "t-1", 1);
    expect(await claim(store, "t-2")).toEqual([]);
    // It is put off, so that it is not found again and again.
    expect(await store.outbox.nextDue()).toBeGreaterThan(Date.now());
    await store.outbox.settle([published(first as ClaimedEvent)]);
    expect(idsOf(await claim(store, "t-2"))).toEqual(["a-2"]);
  });

  it("takes what follows on what the same worker holds", async () => {
    const { store } = await openStore();
    await put(store, "a-1", "a-2");
    const [first] = await claim(store, "t-1", 1);
    expect(idsOf(await claim(store, "t-2", 100, new Set([first?.position as number])))).toEqual(["a-2"]);
  });

  it("puts off what is behind one that is tried again, until then", async () => {
    const { store } = await openStore();
    await put(store, "a-1", "a-2", "b-1");
    const [first, second, other] = (await claim(store, "t-1")) as [ClaimedEvent, ClaimedEvent, ClaimedEvent];
    const { position, token, instanceId } = first;
    const failed = { status: "pending", attempts: 1, error: "away", delay: 3_600_000 } as const;
    await store.outbox.settle([
      { type: "failed", position, token, instanceId, ...failed },
      { type: "released", position: second.position, token, instanceId, delay: 3_600_000 },
      published(other),
    ]);
    await put(store, "a-3");
    expect(await claim(store, "t-2")).toEqual([]);
    expect(await store.outbox.nextDue()).toBeGreaterThan(Date.now() + 3_000_000);
    await testDatabase().exec("update romancy_outbox set next_at = 0 where id = 'a-1'");
    expect(idsOf(await claim(store, "t-2"))).toEqual(["a-1"]);
  });

  it("of several at once takes each event once", async () => {
    const { store } = await openStore();
    const ids = Array.from({ length: 60 }, (_, n) => `i${n % 12}-${n}`);
    await put(store, ...ids);
    const taken: string[] = [];
    await Promise.all(
      ["t-1", "t-2", "t-3"].map(async (name) => {
        for (let round = 0; taken.length < ids.length; round++) {
          const claimed = await store.outbox.claim(name, `${name}.${round}`, 5, NOTHING);
          taken.push(...(idsOf(claimed) as string[]));
          await store.outbox.settle(claimed.map(published));
        }
      }),
    );
    expect(taken.toSorted()).toEqual(ids.toSorted());
    for (let n = 0; n < 12; n++) {
      const ofOne = taken.filter((id) => id.startsWith(`i${n}-`));
      expect(ofOne).toEqual(ids.filter((id) => id.startsWith(`i${n}-`)));
    }
  });
});

describe("a settlement", () => {
  it("changes nothing once the token is another's", async () => {
    const { store } = await openStore();
    await put(store, "a-1");
    const [late] = (await claim(store, "t-1")) as [ClaimedEvent];
    await store.outbox.free("t-1", "t-1");
    const [event] = (await claim(store, "t-2")) as [ClaimedEvent];
    const { position, token, instanceId } = late;
    const failed = { status: "invalid", attempts: 1, error: "no", delay: 0 } as const;
    await store.outbox.settle([published(late), { type: "failed", position, token, instanceId, ...failed }]);
    await store.outbox.settle([{ type: "released", position, token, instanceId, delay: 0 }]);
    expect(await countEvents("status = 'pending' and claim_token = 't-2'")).toBe(1);
    await store.outbox.settle([published(event)]);
    // A second time, as after a lost answer.
    await store.outbox.settle([published(event)]);
    expect(await countEvents("status = 'published' and attempts = 1 and claimed_by is null")).toBe(1);
  });
});

describe("events of a worker", () => {
  it("are nobody's when it leaves, is removed, or starts again", async () => {
    const { store } = await openStore();
    await put(store, "a-1");
    const take = async (): Promise<void> => {
      expect(idsOf(await store.outbox.claim(worker.id, crypto.randomUUID(), 10, NOTHING))).toEqual(["a-1"]);
    };
    expect(await store.leases.add(worker, null, 60_000, 1)).toBe(true);
    await take();
    expect((await store.leases.survey(["flow"])).hasOrphans).toBe(false);
    await store.leases.leave(worker, 1);
    await take();
    expect(await store.leases.survey(["flow"])).toMatchObject({ hasOrphans: true, nextEvent: undefined });
    await store.leases.remove([], 1, { maxRecoveries: 10, quarantine: "{}" });
    expect((await store.leases.survey(["flow"])).nextEvent).toBeLessThanOrEqual(Date.now() + 1_000);
    await take();
    expect(await store.leases.add({ ...worker, incarnation: "two" }, null, 60_000, 1)).toBe(true);
    await take();
  });
});

describe("published events", () => {
  it("are forgotten when they are old enough, and no others", async () => {
    const { store } = await openStore();
    await put(store, "a-1", "b-1", "c-1");
    const [first, second] = (await claim(store, "t-1", 2)) as [ClaimedEvent, ClaimedEvent];
    await store.outbox.settle([published(first), published(second)]);
    await testDatabase().exec("update romancy_outbox set published_at = 1000 where id = 'a-1'");
    await testDatabase().exec("update romancy_outbox set created_at = 0, queued_at = 0, next_at = 0");
    expect(await store.outbox.forget(1_000)).toBe(false);
    expect(await countEvents()).toBe(3);
    expect(await store.outbox.forget(1_001)).toBe(false);
    const rows = await testDatabase().rows("select id from romancy_outbox order by id");
    expect(rows.map(({ id }) => id)).toEqual(["b-1", "c-1"]);
  });
});
