/** The commit protocol on each database: a batch does what its changes do one by one, and nothing twice. */
import { array, assert, asyncProperty, tuple } from "fast-check";
import { describe, expect, it } from "vitest";
import type { Change } from "../../src/core/commit.ts";
import { testDatabase } from "../support/apps.ts";
import { batch, CROWD, create, crowd, IDS, text } from "./changes.ts";
import { comparison, contents, openBoth, seed } from "./comparison.ts";
import { newInstance } from "./new-instance.ts";
import { type OpenStore, openStore } from "./stores.ts";

describe("a batch", () => {
  it.each([
    { name: "few changes", ids: IDS.slice(0, 5), batches: array(batch, { minLength: 1, maxLength: 6 }), numRuns: 40 },
    { name: "many changes", ids: CROWD, batches: tuple(crowd), numRuns: 60 },
  ])(
    `of $name does what they do one by one (STORE_SEED=${seed})`,
    { timeout: 120_000 },
    async ({ ids, batches, numRuns }) => {
      const both = await openBoth();
      await assert(asyncProperty<[Change[][]]>(batches, comparison(both, ids)), { seed, numRuns });
    },
  );

  it("keeps ids and names apart that differ in one byte", async () => {
    const { store } = await openStore();
    const results = await store.commit(IDS.map(newInstance), false);
    expect(results).toEqual(IDS.map(() => ({ type: "applied" })));
    for (const id of IDS) expect(await store.views.instance(id)).toMatchObject({ id });
    expect((await store.ended(IDS)).length).toBe(0);
  });

  it(`stores every text as it is (STORE_SEED=${seed})`, async () => {
    const { store } = await openStore();
    await assert(
      asyncProperty(create, text, async ({ type, instance }, input) => {
        const id = `${instance.id}${crypto.randomUUID()}`;
        await store.commit([{ type, instance: { ...instance, id, input } }], false);
        const { workflow, tags } = instance;
        expect(await store.views.instance(id)).toMatchObject({ id, workflow, tags, input });
      }),
      { seed, numRuns: 60 },
    );
  });

  it("of large values is stored whole", async () => {
    const { store } = await openStore();
    const input = JSON.stringify(["ä".repeat(1_000_000)]);
    const large = newInstance("large");
    await store.commit([{ ...large, instance: { ...large.instance, input } }], false);
    expect((await store.views.instance("large"))?.input).toBe(input);
  });
});

describe("a commit whose answer was lost", () => {
  const step = { kind: "activity_completed", operationId: "step:1", at: 5, result: "1", seq: 1 } as const;

  const changes: Change[] = [
    newInstance("created"),
    { type: "advance", instanceId: "grown", epoch: 1, events: [step], patch: undefined },
    { type: "advance", instanceId: "ended", epoch: 1, events: [], patch: { event: "complete", at: 5, output: "1" } },
    {
      type: "advance",
      instanceId: "waiting",
      epoch: 1,
      events: [],
      patch: { event: "suspend", at: 5, error: null, wakeAt: 9, signals: 0 },
    },
  ];

  async function prepared(): Promise<OpenStore> {
    const opened = await openStore();
    await opened.store.commit(["grown", "ended", "waiting"].map(newInstance), false);
    return opened;
  }

  const applied = changes.map(() => ({ type: "applied" }));

  it("is not made again when it took place", async () => {
    const { store } = await prepared();
    expect(await store.commit(changes, false)).toEqual(applied);
    const before = await contents("romancy_");
    expect(await store.commit(changes, true)).toEqual(applied);
    expect(await contents("romancy_")).toEqual(before);
  });

  it("is made when it did not take place", async () => {
    const { store } = await prepared();
    expect(await store.commit(changes, true)).toEqual(applied);
    expect(await store.views.instance("ended")).toMatchObject({ status: "completed" });
    expect((await store.histories(["grown"])).get("grown")).toEqual([step]);
  });

  it("is finished when some of it took place", async () => {
    const { store } = await prepared();
    await store.commit(changes.slice(0, 2), false);
    expect(await store.commit(changes, true)).toEqual(applied);
    expect(await store.views.instance("ended")).toMatchObject({ status: "completed" });
  });

  it("is left to those who have taken over since", async () => {
    const { store } = await prepared();
    await store.commit(changes, false);
    await testDatabase().exec("update romancy_instances set epoch = epoch + 1, worker_id = 'worker-2'");
    const { instance } = newInstance("created");
    expect(await store.commit(changes, true)).toEqual([
      { type: "exists", workflow: instance.workflow, input: instance.input },
      { type: "fenced" },
      { type: "fenced" },
      { type: "fenced" },
    ]);
  });
});
