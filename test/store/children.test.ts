/** Children in batches, on each database: started, and their parents told of their ends, as one by one. */
import { type Arbitrary, array, assert, asyncProperty, boolean, constantFrom, record } from "fast-check";
import { describe, expect, it, vi } from "vitest";
import type { Action } from "../../src/core/action.ts";
import type { Advance, Change, Subscription } from "../../src/core/commit.ts";
import { applyEach } from "../../src/store/batch/each.ts";
import { applyReports } from "../../src/store/batch/reports.ts";
import { markAwaited } from "../../src/store/statements/children.ts";
import { inTransaction } from "../../src/store/transaction.ts";
import { testDatabase } from "../support/apps.ts";
import { databaseKind } from "../support/database.ts";
import { text } from "./changes.ts";
import { comparison, openBoth, seed, withoutStacks } from "./comparison.ts";
import { newInstance } from "./new-instance.ts";
import { openStore } from "./stores.ts";

withoutStacks();

/** Those who go on, who have ended, and who have gone on as others when their children end. */
const PARENTS = ["a", "A", "ended", "moved", "called off"] as const;

/** Few, so that some are there already; two of them under their parents' names. */
const CHILDREN = ["k1", "k2", "k3", "k4", "K1", "b'c", "a", "ended"] as const;

/** A start of a child, for each parent one or two. */
const starts: Arbitrary<Change[]> = array(
  record({
    parent: constantFrom(...PARENTS),
    epoch: constantFrom(1, 1, 1, 1, 2),
    children: array(
      record({
        id: constantFrom(...CHILDREN),
        awaits: boolean(),
        isDetached: boolean(),
        input: text.map((value) => JSON.stringify([value])),
        hears: boolean(),
      }),
      { minLength: 1, maxLength: 2 },
    ),
    suspends: boolean(),
  }),
  { maxLength: 5 },
).map((drawn) =>
  once(
    drawn.map(
      ({ parent: instanceId, epoch, children, suspends }): Advance => ({
        type: "advance",
        instanceId,
        epoch,
        events: [{ kind: "value_recorded", operationId: "now:1", seq: 1, at: 3, value: "1" }],
        patch: suspends ? { event: "suspend", at: 5, error: null, wakeAt: 9, signals: 0 } : undefined,
        actions: children.map(({ id, awaits, isDetached, input, hears }, index) => ({
          seq: index + 2,
          operationId: `flow:${index}`,
          at: 4,
          request: {
            type: "start_child",
            awaits,
            child: {
              id,
              workflow: "flow",
              input,
              tags: null,
              priority: index,
              version: hears ? "v1" : null,
              traceContext: null,
              isDetached,
              subscriptions: hears ? [{ type: "paid", key: isDetached ? null : "k" }] : [],
            },
          },
        })),
      }),
    ),
  ),
);

/** The ends of those that are there, and some of those that are not; at one time, as a batch is of one moment. */
const ends = (at: number): Arbitrary<Change[]> =>
  array(
    record({
      child: constantFrom(...CHILDREN.filter((id) => !PARENTS.some((parent) => parent === id))),
      epoch: constantFrom(0, 0, 0, 0, 1),
      how: constantFrom("complete" as const, "fail" as const, "cancel" as const),
      value: text,
    }),
    { maxLength: 8 },
  ).map((drawn) =>
    once(
      drawn.map(({ child, epoch, how, value }): Advance => {
        const rest = {
          type: "advance",
          instanceId: child,
          epoch,
          events: [],
          clears: true,
          report: `end ${child}`,
        } as const;
        const error = JSON.stringify({ message: value });
        if (how === "complete") return { ...rest, patch: { event: "complete", at, output: JSON.stringify(value) } };
        if (how === "fail") return { ...rest, patch: { event: "fail", at, error, compensationErrors: null } };
        return {
          ...rest,
          knowsOfCancel: true,
          patch: { event: "cancel", at, error: null, compensationErrors: `[${error}]` },
        };
      }),
    ),
  );

/** Each instance advances once at most. */
function once(advances: readonly Advance[]): Advance[] {
  return [...new Map(advances.map((advance) => [advance.instanceId, advance])).values()];
}

const advance = (instanceId: string, patch: Advance["patch"]): Advance => {
  return { type: "advance", instanceId, epoch: 1, events: [], patch };
};

const request = (id: string, awaits: boolean, subscriptions: readonly Subscription[] = []) => {
  const child = { id, workflow: "flow", input: "[]", tags: null, priority: 0, version: null, traceContext: null };
  return { type: "start_child", awaits, child: { ...child, isDetached: false, subscriptions } } as const;
};

/** A start of a child that is awaited. */
const startOf = (id: string, seq: number, subscriptions: readonly Subscription[] = []): Action => {
  return { seq, operationId: `flow:${seq}`, at: 1, request: request(id, true, subscriptions) };
};

const successor = { id: "moved on", input: "[]", version: null, workerId: "worker-1" };

/** What becomes of the parents meanwhile. */
const meanwhile: Change[] = [
  advance("ended", { event: "complete", at: 6, output: "1" }),
  advance("moved", { event: "recur", at: 6, successor }),
  { type: "cancel", instanceId: "called off", reason: "enough", at: 6 },
];

describe("children", () => {
  it(`start and end in batches as they do one by one (STORE_SEED=${seed})`, async () => {
    const both = await openBoth();
    const compare = comparison(both, PARENTS);
    await assert(
      asyncProperty(starts, ends(8), boolean(), ends(10), async (first, second, isMeanwhile, third) =>
        compare([first, second, ...(isMeanwhile ? meanwhile.map((change) => [change]) : []), third]),
      ),
      { seed, numRuns: 20 },
    );
  });

  it("tell one parent of all their ends", async () => {
    const { store } = await openStore();
    const ids = Array.from({ length: 300 }, (_, n) => `child ${n}`);
    await store.commit([newInstance("parent")], false);
    const actions = ids.map((id, index) => startOf(id, index + 1));
    const [started] = await store.commit([{ ...advance("parent", undefined), actions }], false);
    expect(started).toMatchObject({ type: "applied", receivers: 300 });
    const ended = ids.map((id): Advance => {
      return { ...advance(id, { event: "complete", at: 2, output: `"${id}"` }), epoch: 0, clears: true, report: id };
    });
    expect(await store.commit(ended, false)).toEqual(ids.map(() => ({ type: "applied", receivers: 1 })));
    const inbox = (await store.unread(["parent"])).get("parent") ?? [];
    expect(inbox.map(({ type, position }) => [type, position])).toEqual(ids.map((id, index) => [id, index + 1]));
  });

  it("hear of what their own start says, and of nothing of a start that does not apply", async () => {
    const both = await openBoth();
    const starting = (instanceId: string, epoch: number, type: string): Advance => ({
      ...advance(instanceId, undefined),
      epoch,
      actions: [startOf("shared", 1, [{ type, key: null }])],
    });
    await comparison(both, ["a", "b"])([[starting("a", 2, "fenced"), starting("b", 1, "paid")]]);
    const heard = await testDatabase().rows("select type from together_subscriptions");
    expect(heard).toEqual([{ type: "paid" }]);
  });

  it("are told of by way of rows that are held only", async () => {
    const { database, store, runner } = await openStore();
    await store.commit([newInstance("parent")], false);
    await store.commit(
      [{ ...advance("parent", undefined), actions: [{ ...startOf("child", 1), request: request("child", false) }] }],
      false,
    );
    const end: Advance = { ...advance("child", { event: "complete", at: 2, output: "1" }), epoch: 0, report: "end" };
    const [result] = await inTransaction(database, (transaction) =>
      applyReports(transaction, runner, [end], {
        // The parent begins to wait when its row was not among those to be locked.
        async plain(_, changes) {
          await runner.run(transaction, markAwaited, { id: "child" });
          return applyEach(
            transaction,
            runner,
            changes.map(({ report: _report, ...rest }) => rest),
          );
        },
        put: () => Promise.reject(new Error("The parent's row is not held.")),
      }),
    );
    expect(result).toMatchObject({ type: "applied", receivers: 1 });
    expect((await store.unread(["parent"])).get("parent")).toMatchObject([{ type: "child", position: 1 }]);
  });

  it.skipIf(databaseKind === "sqlite")("of parents that went on as others do not wait for each other", async () => {
    const { database, store } = await openStore();
    const names = Array.from({ length: 40 }, (_, n) => String(n).padStart(2, "0"));
    await store.commit(
      names.map((name) => newInstance(`first ${name}`)),
      false,
    );
    // Each chain has three members, of which the first two have started a child.
    for (const name of names) {
      const members = [`first ${name}`, `second ${name}`, `third ${99 - Number(name)}`];
      for (const [index, id] of members.slice(0, 2).entries()) {
        const gone = { event: "recur", at: 2, successor: { ...successor, id: members[index + 1] as string } } as const;
        await store.commit([{ ...advance(id, undefined), actions: [startOf(`child of ${id}`, 1)] }], false);
        await store.commit([advance(id, gone)], false);
      }
    }
    const [first, second] = ["first", "second"].map((member) =>
      names.map((name): Advance => {
        const id = `child of ${member} ${name}`;
        return { ...advance(id, { event: "complete", at: 2, output: "1" }), epoch: 0, clears: true, report: id };
      }),
    ) as [Advance[], Advance[]];
    const isDeadlock = vi.spyOn(database, "isDeadlock");
    const told = await Promise.all([store.commit(first, false), store.commit(second.toReversed(), false)]);
    expect(isDeadlock).not.toHaveBeenCalled();
    expect(told.flat()).toEqual(names.flatMap(() => [0, 1].map(() => ({ type: "applied", receivers: 1 }))));
  });
});
