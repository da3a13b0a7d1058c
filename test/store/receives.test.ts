/** Receives on channels in batches, on each database: begun, and messages taken, as one by one. */
import { type Arbitrary, array, assert, asyncProperty, boolean, constantFrom, record, subarray } from "fast-check";
import { expect, it } from "vitest";
import type { Action, ActionRequest, ChannelMessage, Post } from "../../src/core/action.ts";
import type { Advance, Change } from "../../src/core/commit.ts";
import { holdInstances } from "../../src/store/statements/instances.ts";
import { databaseKind } from "../support/database.ts";
import { isWaiting } from "../support/locks.ts";
import { until } from "../support/wait.ts";
import { comparison, openBoth, seed, withoutStacks } from "./comparison.ts";
import { newInstance } from "./new-instance.ts";
import { openStore } from "./stores.ts";

withoutStacks();

const IDS = ["a", "A", "b'c", "d", "ended"] as const;
const CHANNELS = ["jobs", "Jobs", "news"] as const;

function advance(instanceId: string, requests: readonly ActionRequest[], first: number, epoch = 1): Advance {
  const actions = requests.map(
    (request, index): Action => ({
      seq: first + index,
      operationId: `${request.type}:${first + index}`,
      at: 5,
      request,
    }),
  );
  return { type: "advance", instanceId, epoch, events: [], patch: undefined, actions };
}

/** One instance after another, so that both stores have them in one order. */
const subscriptions: Arbitrary<Change[]> = array(
  record({ id: constantFrom(...IDS), channel: constantFrom(...CHANNELS) }),
  { maxLength: 10 },
).map((drawn) => {
  const asked = Map.groupBy(drawn, ({ id }) => id);
  return [...asked].map(([id, channels]) =>
    advance(
      id,
      channels.map(({ channel }) => ({
        type: "subscribe",
        channel,
        mode: channel === "news" ? "broadcast" : "competing",
      })),
      1,
    ),
  );
});

const published: Arbitrary<Change[]> = array(constantFrom(...CHANNELS), { maxLength: 6 }).map((channels) =>
  channels.map((channel, index): Change => {
    const fingerprint = `message ${index}`;
    return {
      type: "publish",
      message: { channel, fingerprint, attributes: { id: fingerprint, channel }, data: `"${index}"`, at: 4 },
    };
  }),
);

const request: Arbitrary<ActionRequest> = record({
  isTake: boolean(),
  channel: constantFrom(...CHANNELS),
  waits: boolean(),
}).map(({ isTake, channel, waits }) =>
  isTake ? { type: "take", channel, waits } : { type: "receive", channel, deadline: waits ? null : 9 },
);

/** Of some of the instances, now and then of another epoch. */
const received = (first: number): Arbitrary<Change[]> =>
  subarray([...IDS]).chain((ids) =>
    array(
      record({
        requests: array(request, { minLength: 1, maxLength: 2 }),
        epoch: constantFrom(1, 1, 1, 1, 1, 1, 1, 2),
        suspends: boolean(),
      }),
      { minLength: ids.length, maxLength: ids.length },
    ).map((drawn) =>
      drawn.map(({ requests, epoch, suspends }, index): Change => {
        const patch = { event: "suspend", at: 5, error: null, wakeAt: 9, signals: 0 } as const;
        return { ...advance(ids[index] as string, requests, first, epoch), patch: suspends ? patch : undefined };
      }),
    ),
  );

it(`are answered in batches as one by one (STORE_SEED=${seed})`, async () => {
  const both = await openBoth();
  const ends: Change = { ...advance("ended", [], 1), patch: { event: "complete", at: 3, output: "1" } };
  const compare = comparison(both, IDS);
  await assert(
    asyncProperty(subscriptions, published, received(20), received(40), async (heard, sent, once, again) =>
      compare([...heard.map((change) => [change]), [ends], ...sent.map((change) => [change]), once, again]),
    ),
    { seed, numRuns: 20 },
  );
});

it("take each message once, in order", async () => {
  const { store } = await openStore();
  const ids = Array.from({ length: 50 }, (_, n) => `consumer ${String(n).padStart(2, "0")}`);
  await store.commit(ids.map(newInstance), false);
  for (const id of ids) {
    await store.commit([advance(id, [{ type: "subscribe", channel: "jobs", mode: "competing" }], 1)], false);
  }
  for (let n = 0; n < 40; n++) {
    const fingerprint = `message ${n}`;
    const message = {
      channel: "jobs",
      fingerprint,
      attributes: { id: fingerprint, channel: "jobs" },
      data: `${n}`,
      at: 4,
    };
    await store.commit([{ type: "publish", message }], false);
  }
  const takes = ids.map((id) => advance(id, [{ type: "take", channel: "jobs", waits: true }], 2));
  const half = takes.length / 2;
  // Two commits at once pass over what the other one is taking.
  const results = await Promise.all([
    store.commit(takes.slice(0, half), false),
    store.commit(takes.slice(half), false),
  ]);
  const taken = results.flat().flatMap((result) => {
    expect(result.type).toBe("applied");
    const [answer] = result.type === "applied" ? (result.answers ?? []) : [];
    return answer?.kind === "message_received" ? [Number(answer.data)] : [];
  });
  expect(new Set(taken).size).toBe(taken.length);
  const late = await store.commit(
    ids.map((id) => advance(id, [{ type: "take", channel: "jobs", waits: true }], 3)),
    false,
  );
  const rest = late.flatMap((result) => {
    const [answer] = result.type === "applied" ? (result.answers ?? []) : [];
    return answer?.kind === "message_received" ? [Number(answer.data)] : [];
  });
  expect(rest).toEqual(rest.toSorted((a, b) => a - b));
  expect([...taken, ...rest].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, n) => n));
});

it.skipIf(databaseKind === "sqlite")("calls who waits even if its row is being written at this moment", async () => {
  const { database, store, runner } = await openStore();
  await store.commit([newInstance("consumer")], false);
  await store.commit([advance("consumer", [{ type: "subscribe", channel: "jobs", mode: "competing" }], 1)], false);
  await store.commit([advance("consumer", [{ type: "take", channel: "jobs", waits: true }], 2)], false);
  const message = { channel: "jobs", fingerprint: "one", attributes: { id: "one", channel: "jobs" }, data: "1", at: 4 };
  const transaction = await database.begin();
  await runner.all(transaction, holdInstances, { ids: ["consumer"] });
  // Nobody is waited for to keep it; who is to be called is asked for by itself then.
  expect(await store.commit([{ type: "publish", message }], false)).toEqual([{ type: "delivered", receivers: 0 }]);
  const called = store.commit([{ type: "rouse", channel: "jobs", at: 5, limit: 10 }], false);
  await until(isWaiting);
  await transaction.commit();
  expect(await called).toEqual([{ type: "delivered", receivers: 1 }]);
});

it("tells of the channels where nobody was called, whomever else the same instance has sent to", async () => {
  const { store } = await openStore();
  await store.commit([newInstance("sender"), newInstance("consumer"), newInstance("listener")], false);
  await store.commit([advance("consumer", [{ type: "subscribe", channel: "heard", mode: "competing" }], 1)], false);
  await store.commit([advance("consumer", [{ type: "take", channel: "heard", waits: true }], 2)], false);
  const message = (channel: string, id: string): ChannelMessage => ({
    channel,
    fingerprint: id,
    attributes: { id, channel },
    data: "1",
    at: 4,
  });
  const change = (posts: readonly Post[], requests: readonly ActionRequest[], first: number): Advance => ({
    ...advance("sender", requests, first),
    posts,
  });
  const sent = (to: string): Post => ({ type: "send", instanceId: to, message: message("direct", `to ${to}`) });
  const asked = change(
    [{ type: "publish", message: message("jobs", "one") }, sent("listener")],
    [
      { type: "publish", message: message("heard", "two") },
      { type: "publish", message: message("others", "three") },
    ],
    1,
  );
  expect(await store.commit([asked], false)).toMatchObject([
    { type: "applied", receivers: 2, unheard: ["jobs", "others"] },
  ]);
  // Whom it has reached is not known any more when the answer was lost.
  expect(await store.commit([asked], true)).toMatchObject([{ type: "applied", unheard: ["jobs", "heard", "others"] }]);
  const ends = { ...asked, patch: { event: "complete", at: 5, output: "1" } } as const;
  const last = {
    ...ends,
    actions: change([], [{ type: "publish", message: message("late", "four") }], 9).actions ?? [],
  };
  await store.commit([last], false);
  expect(await store.commit([last], true)).toMatchObject([{ type: "applied", unheard: ["jobs", "late"] }]);
});
