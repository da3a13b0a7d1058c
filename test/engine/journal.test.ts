import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Change, ChangeResult } from "../../src/core/commit.ts";
import { Journal } from "../../src/engine/journal.ts";
import type { Store } from "../../src/store/store.ts";
import { silent } from "../support/silent.ts";

/** A batch that the store was given, until it is let go. */
interface Flight {
  readonly ids: readonly string[];
  readonly land: () => void;
}

/** A store that commits when it is told to. */
class SlowStore {
  readonly commitsAtOnce: number;
  readonly flights: Flight[] = [];
  readonly committed: string[] = [];

  constructor(commitsAtOnce: number) {
    this.commitsAtOnce = commitsAtOnce;
  }

  commit(changes: readonly Change[]): Promise<ChangeResult[]> {
    const ids = changes.map((change) => (change as { readonly instanceId: string }).instanceId);
    return new Promise((resolve) => {
      const land = (): void => {
        this.flights.splice(this.flights.indexOf(flight), 1);
        this.committed.push(...ids);
        resolve(changes.map(() => ({ type: "applied" })));
      };
      const flight = { ids, land };
      this.flights.push(flight);
    });
  }
}

function journalOn(store: SlowStore): Journal {
  return new Journal(store as unknown as Store, silent);
}

/** A change whose text says whose it is, and the how manieth. */
function changeOf(text: string): Change {
  return { type: "advance", instanceId: text, epoch: 1, events: [], patch: undefined };
}

const macrotask = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Each lands, and so leaves the list. */
function landAll({ flights }: SlowStore): void {
  while (flights.length > 0) flights[0]?.land();
}

/** What is to be launched now has been. */
async function launched(): Promise<void> {
  for (let n = 0; n < 3; n++) await macrotask();
}

const keyOf = (id: string): string => id.split("/")[0] ?? "";

describe("the journal's batches", () => {
  it("gather while a commit is under way, where one at once is worth it", async () => {
    const store = new SlowStore(1);
    const journal = journalOn(store);
    const submitted = Array.from({ length: 200 }, (_, n) => journal.submit(() => changeOf(`${n}/1`), String(n)));
    await launched();
    submitted.push(...Array.from({ length: 100 }, (_, n) => journal.submit(() => changeOf(`x${n}/1`), `x${n}`)));
    await launched();
    expect(store.flights.map(({ ids }) => ids.length)).toEqual([200]);
    store.flights[0]?.land();
    await launched();
    expect(store.flights.map(({ ids }) => ids.length)).toEqual([100]);
    store.flights[0]?.land();
    await Promise.all(submitted);
  });

  it("share what there is, where two at once are worth it", async () => {
    const store = new SlowStore(2);
    const journal = journalOn(store);
    const submitted = Array.from({ length: 300 }, (_, n) => journal.submit(() => changeOf(`${n}/1`), String(n)));
    await launched();
    expect(store.flights.map(({ ids }) => ids.length)).toEqual([150, 150]);
    landAll(store);
    await Promise.all(submitted);
  });

  it("are not shared out when all of it has one key", async () => {
    const store = new SlowStore(2);
    const journal = journalOn(store);
    const submitted = Array.from({ length: 200 }, (_, n) => journal.submit(() => changeOf(`${n}/1`)));
    await launched();
    expect(store.flights.map(({ ids }) => ids.length)).toEqual([200]);
    store.flights[0]?.land();
    await Promise.all(submitted);
  });

  it("hold one change of an instance at most, but all creations of one id", async () => {
    const store = new SlowStore(2);
    const journal = journalOn(store);
    const submitted = ["a/1", "b/1", "a/2", "a/3"].map((id) => journal.submit(() => changeOf(id), keyOf(id)));
    for (const id of ["c/1", "c/2"]) submitted.push(journal.submit(() => changeOf(id), keyOf(id), true));
    const batches: (readonly string[])[] = [];
    for (await launched(); store.flights.length > 0; await launched()) {
      batches.push(...store.flights.map(({ ids }) => ids));
      landAll(store);
    }
    expect(batches).toEqual([["a/1", "b/1", "c/1", "c/2"], ["a/2"], ["a/3"]]);
    await Promise.all(submitted);
  });

  it("are not made small beside one that is under way", async () => {
    const store = new SlowStore(2);
    const journal = journalOn(store);
    const first = journal.submit(() => changeOf("a/1"), "a");
    await launched();
    const few = Array.from({ length: 10 }, (_, n) => journal.submit(() => changeOf(`${n}/1`), String(n)));
    await launched();
    expect(store.flights).toHaveLength(1);
    store.flights[0]?.land();
    await first;
    await launched();
    expect(store.flights.map(({ ids }) => ids.length)).toEqual([10]);
    store.flights[0]?.land();
    await Promise.all(few);
  });

  it("keep the order of each key, and never have two of one key on their way", async () => {
    const steps = fc.array(fc.oneof(fc.nat(20), fc.constant("land" as const)), { minLength: 100, maxLength: 400 });
    await fc.assert(
      fc.asyncProperty(steps, async (plan) => {
        const store = new SlowStore(2);
        const submitted = await play(plan, store, journalOn(store));
        for (const [key, count] of submitted) {
          const order = store.committed.filter((id) => keyOf(id) === key);
          expect(order).toEqual(Array.from({ length: count }, (_, n) => `${key}/${n + 1}`));
        }
      }),
      { numRuns: 50 },
    );
  });
});

/** Submits changes of keys, and lets commits land; gives how many there were of each key, all of them committed. */
async function play(
  plan: readonly (number | "land")[],
  store: SlowStore,
  journal: Journal,
): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  const submitted: Promise<unknown>[] = [];
  for (const step of plan) {
    if (step === "land") {
      await macrotask();
      store.flights.at(-1)?.land();
      await macrotask();
    } else {
      const key = String(step);
      const n = (counts.get(key) ?? 0) + 1;
      counts.set(key, n);
      submitted.push(journal.submit(() => changeOf(`${key}/${n}`), key));
    }
    expectApart(store.flights);
  }
  const drained = journal.drain();
  while (store.committed.length < submitted.length) {
    await macrotask();
    expectApart(store.flights);
    landAll(store);
  }
  await Promise.all([drained, ...submitted]);
  return counts;
}

/** No key is in two of them. */
function expectApart([a, b]: readonly Flight[]): void {
  const keys = new Set(a?.ids.map(keyOf));
  expect(b?.ids.map(keyOf).filter((key) => keys.has(key)) ?? []).toEqual([]);
}
