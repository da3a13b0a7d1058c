import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  defineActivity,
  defineWorkflow,
  type EventInput,
  EventTimeoutError,
  InstanceFinishedError,
  InstanceNotFoundError,
  type Romancy,
  ValidationError,
  type WorkflowHandle,
} from "../../src/index.ts";
import { dice, seed } from "../crash/random.ts";
import { startApp, testDatabase } from "../support/apps.ts";
import { gate, until } from "../support/wait.ts";

const paid = (subject: string, more: Partial<EventInput> = {}): EventInput => ({
  type: "paid",
  source: "psp",
  subject,
  data: { order: subject },
  ...more,
});

const waitForPayment = defineWorkflow("wait_for_payment", async (ctx, order: string) => {
  const event = await ctx.waitEvent<{ order: string }>("paid", { key: order });
  return event.data.order;
});

async function waiting(handle: WorkflowHandle<unknown>): Promise<void> {
  await until(async () => (await handle.status()) === "waiting");
}

async function unread(): Promise<number> {
  const [row] = await testDatabase().rows("select count(*) as n from romancy_inbox where read_at is null");
  return Number(row?.["n"]);
}

describe("waitEvent", () => {
  it("gives the event with all its attributes", async () => {
    const flow = defineWorkflow("flow", (ctx) => ctx.waitEvent("paid"));
    const app = await startApp({ workflows: [flow] });
    const handle = await flow.start(app);
    await waiting(handle);
    await app.sendEvent({
      type: "paid",
      source: "/psp",
      id: "e-1",
      subject: "o-1",
      time: new Date(0),
      datacontenttype: "application/json",
      dataschema: "https://example.com/paid",
      partition: 7,
      data: { at: new Date(5), amount: 12n },
    });
    expect(await handle.result()).toEqual({
      type: "paid",
      source: "/psp",
      id: "e-1",
      subject: "o-1",
      time: "1970-01-01T00:00:00.000Z",
      datacontenttype: "application/json",
      dataschema: "https://example.com/paid",
      extensions: { partition: 7 },
      data: { at: new Date(5), amount: 12n },
    });
  });

  it("tells what is waited for, and takes only what has the key", async () => {
    const app = await startApp({ workflows: [waitForPayment] });
    const one = await waitForPayment.start(app, "o-1");
    const two = await waitForPayment.start(app, "o-2");
    await Promise.all([waiting(one), waiting(two)]);
    expect((await one.describe()).waitingFor).toEqual([
      { kind: "event", operationId: "wait_event:1", until: undefined, types: ["paid"], key: "o-1" },
    ]);
    await app.sendEvent(paid("o-2"));
    expect(await two.result()).toBe("o-2");
    // The other was not even looked at.
    expect(await testDatabase().rows("select signals, epoch from romancy_instances where id = ?", [one.id])).toEqual([
      { signals: 0, epoch: 1 },
    ]);
    await app.sendEvent(paid("o-1"));
    expect(await one.result()).toBe("o-1");
  });

  it("takes what came before the wait, if it was heard of from birth, and what comes while it is busy", async () => {
    const held = gate();
    let isBusy = false;
    const work = defineActivity("work", async () => {
      isBusy = true;
      await held.opened;
    });
    const flow = defineWorkflow(
      "flow",
      async (ctx, order: string) => {
        await work(ctx);
        const first = await ctx.waitEvent<{ order: string }>("paid", { key: order });
        return [first.data.order, (await ctx.waitEvent("shipped")).id];
      },
      { events: [{ type: "paid", key: (order: string) => order }, "shipped"] },
    );
    const app = await startApp({ workflows: [flow] });
    const handle = await flow.start(app, "o-1");
    await until(() => isBusy);
    await app.sendEvent({ type: "shipped", source: "s", id: "s-1" });
    await app.sendEvent(paid("o-2"));
    await app.sendEvent(paid("o-1"));
    held.open();
    expect(await handle.result()).toEqual(["o-1", "s-1"]);
  });

  it("takes every event once, in the order of sending, over many waits", async () => {
    const flow = defineWorkflow(
      "flow",
      async (ctx, count: number) => {
        const ids: string[] = [];
        while (ids.length < count) ids.push((await ctx.waitEvent(["a", "b"])).id);
        return ids;
      },
      { events: ["a", "b"] },
    );
    const app = await startApp({ workflows: [flow] });
    const handle = await flow.start(app, 20);
    const ids = Array.from({ length: 20 }, (_, n) => `e-${n}`);
    for (const [n, id] of ids.entries()) {
      await app.sendEvent({ type: n % 3 === 0 ? "a" : "b", source: "s", id });
      await app.sendEvent({ type: n % 3 === 0 ? "a" : "b", source: "s", id });
    }
    expect(await handle.result()).toEqual(ids);
    expect(await testDatabase().rows("select instance_id from romancy_subscriptions")).toEqual([]);
  });

  it("throws when its time is up, and leaves what comes later to the next wait", async () => {
    const flow = defineWorkflow("flow", async (ctx) => {
      try {
        return await ctx.waitEvent("paid", { key: "o-1", timeout: 10 });
      } catch (error) {
        const { types, key } = error as EventTimeoutError;
        const next = await ctx.waitEvent("paid", { key: "o-1" });
        return [error instanceof EventTimeoutError, types, key, next.id];
      }
    });
    const app = await startApp({ workflows: [flow], maxParkedInstances: 0 });
    const handle = await flow.start(app);
    await until(async () => (await app.getHistory(handle.id)).some(({ kind }) => kind === "wait_timed_out"));
    await app.sendEvent(paid("o-1", { id: "late" }));
    expect(await handle.result()).toEqual([true, ["paid"], "o-1", "late"]);
  });

  it("checks the data, and the failure can be caught", async () => {
    const schema = z.object({ amount: z.number() });
    const flow = defineWorkflow("flow", async (ctx) => {
      const bad = await ctx.waitEvent("paid", { schema }).catch((error: unknown) => error);
      const good = await ctx.waitEvent("paid", { schema });
      return [bad instanceof ValidationError, good.data.amount];
    });
    const app = await startApp({ workflows: [flow] });
    const handle = await flow.start(app);
    await waiting(handle);
    await app.sendEvent(paid("o", { data: { amount: "much" } }));
    await app.sendEvent(paid("o", { data: { amount: 7 } }));
    expect(await handle.result()).toEqual([true, 7]);
  });

  it("can race a timer, an activity and another wait, and the same one wins on replay", async () => {
    const held = gate();
    const slow = defineActivity("slow", () => held.opened);
    const runs: string[] = [];
    const flow = defineWorkflow("flow", async (ctx) => {
      const winner = await Promise.race([
        ctx.waitEvent("never").then(({ id }) => id),
        ctx.sleep("1h").then(() => "slept"),
        slow(ctx).then(() => "worked"),
        ctx.waitEvent("go").then(({ id }) => id),
      ]);
      runs.push(winner);
      await ctx.waitEvent("end");
      return winner;
    });
    const app = await startApp({ workflows: [flow], maxParkedInstances: 0, shutdownTimeout: 0 });
    const handle = await flow.start(app);
    await until(async () => (await app.getHistory(handle.id)).length >= 3);
    await app.sendEvent({ type: "go", source: "s", id: "first" });
    await until(() => runs.length > 0);
    // It has heard, and hears of the end, for good.
    await until(async () =>
      (await app.getHistory(handle.id)).some(({ operationId }) => operationId === "wait_event:3"),
    );
    await app.shutdown();
    const next = await startApp({ workflows: [flow] });
    held.open();
    await next.sendEvent({ type: "end", source: "s" });
    expect(await next.handle(flow, handle.id).result()).toBe("first");
    expect(new Set(runs)).toEqual(new Set(["first"]));
  });

  it("goes on after a restart with what a client sent meanwhile", async () => {
    const first = await startApp({ workflows: [waitForPayment] });
    const handle = await waitForPayment.start(first, "o-1");
    await waiting(handle);
    await first.shutdown();
    const client = await startApp({ worker: false });
    await client.sendEvent(paid("o-1"));
    await startApp({ workflows: [waitForPayment] });
    expect(await client.handle(waitForPayment, handle.id).result()).toBe("o-1");
  });
});

describe("sendEvent", () => {
  it("delivers an event once to each instance, however often it is sent", async () => {
    const flow = defineWorkflow("flow", async (ctx) => {
      await ctx.waitEvent("paid");
      return ctx.waitEvent("paid", { timeout: 1 }).catch((error: Error) => error.name);
    });
    const app = await startApp({ workflows: [flow] });
    const handles = await Promise.all([flow.start(app), flow.start(app)]);
    await Promise.all(handles.map(waiting));
    for (let n = 0; n < 3; n++) await app.sendEvent(paid("o", { id: "same" }));
    expect(await Promise.all(handles.map((handle) => handle.result()))).toEqual([
      "EventTimeoutError",
      "EventTimeoutError",
    ]);
  });

  it("reaches one instance alone when told so, be it waiting yet or not", async () => {
    const flow = defineWorkflow("flow", async (ctx) => {
      await ctx.sleep(20);
      return (await ctx.waitEvent("paid")).id;
    });
    const app = await startApp({ workflows: [flow] });
    const [one, two] = await Promise.all([flow.start(app), flow.start(app)]);
    await app.sendEvent(paid("o", { id: "for-one" }), { instanceId: one.id });
    await app.sendEvent(paid("o", { id: "for-two", romancyinstanceid: two.id }));
    expect(await Promise.all([one.result(), two.result()])).toEqual(["for-one", "for-two"]);
    await expect(app.sendEvent(paid("o"), { instanceId: one.id })).rejects.toThrow(InstanceFinishedError);
    await expect(app.sendEvent(paid("o"), { instanceId: "nobody" })).rejects.toThrow(InstanceNotFoundError);
  });

  it("starts an instance of each handler, once for each event", async () => {
    const made: unknown[] = [];
    const note = defineActivity("note", (_, name: string, data: unknown) => void made.push([name, data]));
    const own = defineWorkflow("order.made", (ctx, data: unknown) => note(ctx, "own", data), { eventHandler: true });
    const other = defineWorkflow("other", (ctx, data: unknown) => note(ctx, "other", data), {
      eventHandler: ["order.made", "order.changed"],
    });
    const none = defineWorkflow("none", (ctx, data: unknown) => note(ctx, "none", data));
    const app = await startApp({ workflows: [own, other, none] });
    for (let n = 0; n < 3; n++) {
      await app.sendEvent({ type: "order.made", source: "shop", id: "1", data: { n: 1 } });
    }
    await app.sendEvent({ type: "order.changed", source: "shop", id: "1b", data: { n: 2 } });
    await until(() => made.length >= 3);
    expect((await app.listInstances()).instances).toHaveLength(3);
    expect(made.toSorted()).toEqual([
      ["other", { n: 1 }],
      ["other", { n: 2 }],
      ["own", { n: 1 }],
    ]);
  });

  it.each([
    ["no object", null],
    ["no type", { source: "s" }],
    ["an empty type", { type: "", source: "s" }],
    ["no source", { type: "t" }],
    ["an id that is no text", { type: "t", source: "s", id: 7 }],
    ["a time that is none", { type: "t", source: "s", time: "yesterday" }],
    ["an extension of a bad name", { type: "t", source: "s", "not-this": 1 }],
    ["an extension that is an object", { type: "t", source: "s", extra: {} }],
  ])("refuses an event with %s, and stores nothing", async (_, event) => {
    const flow = defineWorkflow("flow", (ctx) => ctx.waitEvent("t"), { events: ["t"] });
    const app = await startApp({ workflows: [flow] });
    await flow.start(app);
    await expect(app.sendEvent(event as unknown as EventInput)).rejects.toThrow(ValidationError);
    expect(await unread()).toBe(0);
  });
});

it(`loses nothing and gives nothing twice when senders and suspending receivers meet (CRASH_SEED=${seed})`, {
  timeout: 60_000,
}, async () => {
  const RECEIVERS = 30;
  const EVENTS = 12;
  const roll = dice(seed);
  const flow = defineWorkflow(
    "flow",
    async (ctx, key: string) => {
      const seen: number[] = [];
      while (seen.length < EVENTS) {
        const event = await ctx.waitEvent<number>("tick", { key, timeout: 3 }).catch(() => undefined);
        if (event) seen.push(event.data);
        else await ctx.sleep(1);
      }
      return seen;
    },
    { events: [{ type: "tick", key: (key: string) => key }] },
  );
  // Some are kept in memory, others are replayed, on two workers.
  const apps: Romancy[] = [
    await startApp({ workflows: [flow], maxParkedInstances: 5 }),
    await startApp({ workflows: [flow], maxParkedInstances: 0 }),
  ];
  const keys = Array.from({ length: RECEIVERS }, (_, n) => `key-${n}`);
  const handles = await Promise.all(keys.map((key, n) => flow.start(apps[n % 2] as Romancy, key)));
  await Promise.all(
    keys.map(async (key) => {
      for (let n = 0; n < EVENTS; n++) {
        await new Promise((resolve) => setTimeout(resolve, roll(6) - 1));
        await apps[roll(2) - 1]?.sendEvent({ type: "tick", source: key, id: String(n), subject: key, data: n });
      }
    }),
  );
  const expected = Array.from({ length: EVENTS }, (_, n) => n);
  expect(await Promise.all(handles.map((handle) => handle.result()))).toEqual(keys.map(() => expected));
  expect(await unread()).toBe(0);
});
