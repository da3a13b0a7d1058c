/** Children in batches, on each database: started, and their parents told of their ends, as one by one. */
import { type Arbitrary, array, assert, asyncProperty, boolean, constantFrom, record } from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Advance, Change } from "../../src/core/commit.ts";
import { text } from "./changes.ts";
import { comparison, openBoth } from "./comparison.ts";
import { newInstance } from "./new-instance.ts";
import { openStore } from "./stores.ts";

const seed = Number(process.env["STORE_SEED"] ?? Date.now() % 1_000_000);

// Where an error was made differs, and is stored with it.
const { stackTraceLimit } = Error;
beforeAll(() => {
  Error.stackTraceLimit = 0;
});
afterAll(() => {
  Error.stackTraceLimit = stackTraceLimit;
});

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
    const child = { workflow: "flow", input: "[]", tags: null, priority: 0, version: null, traceContext: null };
    const request = { type: "start_child", awaits: true } as const;
    const actions = ids.map((id, index) => ({
      seq: index + 1,
      operationId: `flow:${index}`,
      at: 1,
      request: { ...request, child: { ...child, id, isDetached: false, subscriptions: [] } },
    }));
    const [started] = await store.commit([{ ...advance("parent", undefined), actions }], false);
    expect(started).toMatchObject({ type: "applied", receivers: 300 });
    const ended = ids.map((id): Advance => {
      return { ...advance(id, { event: "complete", at: 2, output: `"${id}"` }), epoch: 0, clears: true, report: id };
    });
    expect(await store.commit(ended, false)).toEqual(ids.map(() => ({ type: "applied", receivers: 1 })));
    const inbox = (await store.unread(["parent"])).get("parent") ?? [];
    expect(inbox.map(({ type, position }) => [type, position])).toEqual(ids.map((id, index) => [id, index + 1]));
  });
});
