/** Messages from outside in batches, on each database: whom they come to, in which order, as one by one. */
import { type Arbitrary, array, assert, asyncProperty, constantFrom, oneof, record } from "fast-check";
import { expect, it } from "vitest";
import type { ActionRequest } from "../../src/core/action.ts";
import type { Advance, Change, Create, Subscription } from "../../src/core/commit.ts";
import { comparison, openBoth, seed, withoutStacks } from "./comparison.ts";
import { newInstance } from "./new-instance.ts";
import { openStore } from "./stores.ts";

withoutStacks();

const TYPES = ["paid", "Paid", "news"] as const;
const KEYS = ["k", "K", "", null] as const;

/** Two of them end, or go on as another, before the messages come. */
const IDS = ["a", "A", "b'c", "ended", "moved"] as const;

function hearing(id: string, subscriptions: readonly Subscription[]): Create {
  return { ...newInstance(id), subscriptions };
}

function advance(instanceId: string, change: Partial<Advance>): Advance {
  return { type: "advance", instanceId, epoch: 1, events: [], patch: undefined, ...change };
}

function subscribing(id: string, channels: ReadonlySet<string>): Advance {
  const actions = [...channels].map((channel, index) => {
    const mode = channel === "news" ? "broadcast" : "competing";
    const request: ActionRequest = { type: "subscribe", channel, mode };
    return { seq: index + 1, operationId: `subscribe:${index}`, at: 2, request };
  });
  return advance(id, { actions });
}

const subscription = record({
  type: constantFrom(...TYPES),
  key: constantFrom(...KEYS.filter((key) => key !== "")),
});

const hearers: Arbitrary<Change[]> = array(
  record({ heard: array(subscription, { maxLength: 3 }), channels: array(constantFrom(...TYPES), { maxLength: 2 }) }),
  { minLength: IDS.length, maxLength: IDS.length },
).map((drawn) => [
  ...drawn.map(({ heard }, index) => hearing(IDS[index] as string, heard)),
  ...drawn.map(({ channels }, index) => subscribing(IDS[index] as string, new Set(channels))),
]);

/** Few of them, so that some come twice. */
const fingerprint = constantFrom("one", "two", "three", "four", "five", "six");

const message = record({
  type: constantFrom(...TYPES),
  key: constantFrom(...KEYS),
  fingerprint,
}).map((drawn) => ({
  ...drawn,
  at: 4,
  attributes: { id: drawn.fingerprint },
  data: JSON.stringify(drawn.fingerprint),
}));

const mail: Arbitrary<Change[]> = array(
  oneof(
    message.map((drawn): Change => ({ type: "deliver", instanceId: undefined, message: drawn })),
    // To one that has gone on as another they come after the others of their batch.
    record({ message, instanceId: constantFrom(...IDS.filter((id) => id !== "moved"), "nobody") }).map(
      (drawn): Change => ({ type: "deliver", ...drawn }),
    ),
    // A channel's have the channel in their fingerprints.
    message.map(
      ({ type: channel, key: _key, ...drawn }): Change => ({
        type: "publish",
        message: { ...drawn, channel, fingerprint: `${drawn.fingerprint} of ${channel}` },
      }),
    ),
  ),
  { minLength: 1, maxLength: 12 },
);

const successor = { id: "goes on", input: "[]", version: null, workerId: "worker-1" };

const meanwhile: readonly Change[] = [
  advance("ended", { patch: { event: "complete", at: 3, output: "1" }, clears: true }),
  advance("moved", { patch: { event: "recur", at: 3, successor } }),
];

it(`come in batches as they do one by one (STORE_SEED=${seed})`, { timeout: 120_000 }, async () => {
  const both = await openBoth();
  const compare = comparison(both, []);
  await assert(
    asyncProperty(hearers, mail, mail, async (hears, first, second) =>
      compare([...[...hears, ...meanwhile].map((change) => [change]), first, second]),
    ),
    { seed, numRuns: 25 },
  );
});

it("come to thousands, each with its place", async () => {
  const { store } = await openStore();
  const ids = Array.from({ length: 3_000 }, (_, n) => `hearer ${n}`);
  await store.commit(
    ids.map((id) => hearing(id, [{ type: "news", key: null }])),
    false,
  );
  const large = JSON.stringify("x".repeat(150_000));
  const changes = ["one", "two", "three"].map((text): Change => {
    const data = text === "two" ? JSON.stringify("small") : large;
    return {
      type: "deliver",
      instanceId: undefined,
      message: { type: "news", key: null, fingerprint: text, attributes: { id: text }, data, at: 4 },
    };
  });
  const small = changes.slice(1, 2);
  expect(await store.commit(small, false)).toEqual([{ type: "delivered", receivers: ids.length }]);
  const few = changes.map((change): Change => ({ ...change, instanceId: "hearer 7" }) as Change);
  expect(await store.commit(few, false)).toEqual(few.map(() => ({ type: "delivered", receivers: 1 })));
  const unread = await store.unread(["hearer 7", "hearer 8"]);
  expect(unread.get("hearer 7")?.map(({ position, data }) => [position, data.length])).toEqual([
    [1, 7],
    [2, large.length],
    [4, large.length],
  ]);
  expect(unread.get("hearer 8")).toMatchObject([{ position: 1 }]);
});
