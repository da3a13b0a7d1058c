/** Events that workflows and activities send: written with the work that they tell of, or not at all. */
import { beforeEach, describe, expect, it } from "vitest";
import {
  defineActivity,
  defineWorkflow,
  type OutgoingEventInput,
  type ReceivedEvent,
  retryPolicies,
  SerializationError,
  ValidationError,
} from "../../src/index.ts";
import { startApp, testDatabase } from "../support/apps.ts";
import { countCommits } from "../support/counts.ts";
import { placeholders } from "../support/database.ts";
import { failingCommits } from "../support/faults.ts";
import { countEvents, entries, recorder, settled } from "../support/outbox.ts";
import { gate } from "../support/wait.ts";

const shipped = { type: "order.shipped", data: { carrier: "ACME" } } as const;

describe("ctx.sendEvent of a workflow", () => {
  it("sends the event, with an id of the instance's and a source of the workflow's", async () => {
    const published: ReceivedEvent<unknown>[] = [];
    const flow = defineWorkflow("flow", (ctx) => ctx.sendEvent({ ...shipped, subject: "ORD-1" }));
    const app = await startApp({ workflows: [flow], outbox: { publisher: (event) => void published.push(event) } });
    expect(await (await flow.with({ id: "i-1" }).start(app)).result()).toEqual({ id: "i-1/send_event:1" });
    expect(await settled(app, 1)).toMatchObject([
      { id: "i-1/send_event:1", instanceId: "i-1", status: "published", attempts: 1, publishedAt: expect.any(Date) },
    ]);
    expect(published).toEqual([
      {
        ...shipped,
        source: "romancy/flow",
        id: "i-1/send_event:1",
        subject: "ORD-1",
        time: expect.stringMatching(/^\d{4}-.*Z$/),
        datacontenttype: "application/json",
        extensions: {},
      },
    ]);
  });

  it("is recorded, and not repeated when the code is replayed", async () => {
    const sent = recorder();
    const flow = defineWorkflow("flow", async (ctx) => {
      const first = await ctx.sendEvent(shipped);
      await ctx.waitEvent("go");
      return [first, await ctx.sendEvent(shipped)];
    });
    const options = { workflows: [flow], outbox: { publisher: sent.publisher }, maxParkedInstances: 0 };
    const app = await startApp(options);
    const handle = await flow.with({ id: "i-1" }).start(app);
    while ((await handle.status()) !== "waiting") await new Promise((resolve) => setImmediate(resolve));
    await settled(app, 1);
    await app.shutdown();
    const other = await startApp(options);
    await other.sendEvent({ type: "go", source: "test" });
    const ids = ["i-1/send_event:1", "i-1/send_event:2"];
    expect(await other.handle(flow, "i-1").result()).toEqual(ids.map((id) => ({ id })));
    await settled(other, 2);
    expect(sent.ids()).toEqual(ids);
    expect((await other.getHistory("i-1"))[0]).toMatchObject({ kind: "action_completed", result: { id: ids[0] } });
  });

  it("is in the very commit that records it", async () => {
    const flow = defineWorkflow("flow", async (ctx) => {
      await ctx.sendEvent(shipped);
      await ctx.sendEvent(shipped);
    });
    const app = await startApp({ workflows: [flow] });
    const commits = await countCommits(async () => void (await (await flow.start(app)).result()));
    expect(await entries(app)).toHaveLength(2);
    // The start; the first; the second; the end.
    expect(commits).toBe(4);
  });

  it("is sent once though its commit was in doubt", async () => {
    const sent = recorder();
    const flow = defineWorkflow("flow", async (ctx) => {
      await Promise.all(Array.from({ length: 5 }, () => ctx.sendEvent(shipped)));
    });
    const app = await startApp({ workflows: [flow], outbox: { publisher: sent.publisher } });
    await failingCommits(2, async () => void (await (await flow.with({ id: "i-1" }).start(app)).result()));
    await settled(app, 5);
    expect(sent.ids()).toEqual([1, 2, 3, 4, 5].map((n) => `i-1/send_event:${n}`));
  });

  it("goes along when the instance goes on as another, or fails", async () => {
    const sent = recorder();
    const flow = defineWorkflow("flow", async (ctx, left: number): Promise<void> => {
      void ctx.sendEvent({ ...shipped, id: `left-${left}` });
      if (left === 0) throw new Error("the end");
      return ctx.recur(left - 1);
    });
    const app = await startApp({ workflows: [flow], outbox: { publisher: sent.publisher } });
    await expect((await flow.start(app, 2)).result()).rejects.toThrow("the end");
    await settled(app, 3);
    expect(sent.ids().toSorted()).toEqual(["left-0", "left-1", "left-2"]);
  });
});

describe("ctx.sendEvent of an activity", () => {
  const INSERT = placeholders("insert into payments (order_id) values (?)");

  beforeEach(() => testDatabase().exec("create table payments (order_id varchar(50) primary key)"));

  it.each([true, false])("goes out with the record alone, with a session: %s", async (hasSession) => {
    const sent = recorder();
    const opened = gate();
    const pay = defineActivity(
      "pay",
      async (ctx) => {
        if (hasSession) await ctx.session.query(INSERT, [`attempt-${ctx.attempt}`]);
        await ctx.sendEvent({ type: "paid", data: ctx.attempt });
        await ctx.sendEvent({ type: "paid", data: ctx.attempt });
        if (ctx.attempt === 1) throw new Error("undo");
        expect(await countEvents()).toBe(0);
        await opened.opened;
      },
      { retry: retryPolicies.fixed(2, 1) },
    );
    const flow = defineWorkflow("flow", (ctx) => pay(ctx));
    const app = await startApp({ workflows: [flow], outbox: { publisher: sent.publisher } });
    const handle = await flow.with({ id: "i-1" }).start(app);
    opened.open();
    await handle.result();
    const all = await settled(app, 2);
    expect(all.map(({ event }) => event.data)).toEqual([2, 2]);
    expect(sent.ids()).toEqual(["i-1/pay:1/1", "i-1/pay:1/2"]);
    expect(await testDatabase().rows("select order_id from payments")).toHaveLength(hasSession ? 1 : 0);
  });

  it("leaves nothing behind of an activity that fails for good", async () => {
    const pay = defineActivity(
      "pay",
      async (ctx) => {
        await ctx.session.query(INSERT, ["a"]);
        await ctx.sendEvent(shipped);
        throw new Error("undo");
      },
      { retry: false },
    );
    const flow = defineWorkflow("flow", (ctx) => pay(ctx));
    const app = await startApp({ workflows: [flow] });
    await expect((await flow.start(app)).result()).rejects.toThrow("undo");
    expect(await entries(app)).toEqual([]);
  });
});

describe("an event", () => {
  /** Sends it from a workflow; gives what publishers get, or the error that the workflow caught. */
  async function sendAs(input: unknown): Promise<ReceivedEvent<unknown> | Error> {
    const published: ReceivedEvent<unknown>[] = [];
    const flow = defineWorkflow("flow", async (ctx) => {
      await ctx.sendEvent(input as OutgoingEventInput);
    });
    const app = await startApp({
      workflows: [flow],
      outbox: { publisher: (event) => void published.push(event) },
      maxValueBytes: 10_000,
    });
    try {
      await (await flow.start(app)).result();
    } catch (error) {
      expect(await entries(app)).toEqual([]);
      return (error as Error).cause as Error;
    }
    await settled(app, 1);
    return published[0] as ReceivedEvent<unknown>;
  }

  it.each([
    [undefined, undefined, undefined, undefined],
    [null, undefined, null, "application/json"],
    [0, undefined, 0, "application/json"],
    ["", undefined, "", "application/json"],
    ["ä \u0000 \ud800", undefined, "ä \u0000 \ud800", "application/json"],
    ["<a/>", "application/xml", "<a/>", "application/xml"],
    ["text", "text/plain; charset=utf-8", "text", "text/plain; charset=utf-8"],
    [{ at: new Date(0) }, undefined, { at: "1970-01-01T00:00:00.000Z" }, "application/json"],
    [{ gone: undefined }, "application/vnd.api+json", {}, "application/vnd.api+json"],
    [new Uint8Array([0, 255]), undefined, new Uint8Array([0, 255]), "application/octet-stream"],
    [new Uint8Array([1]), "image/png", new Uint8Array([1]), "image/png"],
  ])("with the data %j of type %s is sent as it is", async (data, datacontenttype, expected, type) => {
    const event = await sendAs({ type: "t", data, ...(datacontenttype !== undefined && { datacontenttype }) });
    expect(event).toMatchObject({ data: expected });
    expect((event as ReceivedEvent<unknown>).datacontenttype).toBe(type);
  });

  it("keeps the attributes that it is given", async () => {
    const attributes = { type: "t", source: "/psp", id: "e-1", subject: "s", dataschema: "https://example.com/s" };
    const time = new Date("2026-01-02T03:04:05.678Z");
    expect(await sendAs({ ...attributes, time, traceparent: "00-1", n: 7, ok: true, data: 1 })).toEqual({
      ...attributes,
      time: "2026-01-02T03:04:05.678Z",
      datacontenttype: "application/json",
      extensions: { traceparent: "00-1", n: 7, ok: true },
      data: 1,
    });
  });

  it.each([
    ["no object", "event"],
    [{ data: 1 }, "name of event"],
    [{ type: "t", source: "" }, "source"],
    [{ type: "t", id: "" }, "id"],
    [{ type: "t", id: "x".repeat(1_001) }, "1000 characters"],
    [{ type: "t", id: "x\0" }, "NUL"],
    [{ type: "t", subject: "" }, "subject"],
    [{ type: "t", time: "yesterday" }, "RFC 3339"],
    [{ type: "t", Trace: "1" }, "lower-case"],
    [{ type: "t", trace: {} }, "extension trace"],
    [{ type: "t", data: {}, datacontenttype: "text/plain" }, "text/plain"],
    [{ type: "t", data: "a\0b", datacontenttype: "text/plain" }, "without NUL"],
  ])("is refused: %j", async (input, message) => {
    const error = await sendAs(input);
    expect(error).toBeInstanceOf(ValidationError);
    expect((error as Error).message).toContain(message);
  });

  it.each([
    [{ n: 1n }, "n is not plain JSON"],
    [new Map(), "not plain JSON"],
    [[Number.NaN], "not plain JSON"],
    [{ bytes: new Uint8Array() }, "bytes is not plain JSON"],
    [{ fn: () => 1 }, "is a function"],
    ["x".repeat(10_001), "limit of 10000"],
  ])("with data that cannot be sent is refused: %#", async (data, message) => {
    const error = await sendAs({ type: "t", data });
    expect(error).toBeInstanceOf(SerializationError);
    expect((error as Error).message).toContain(message);
  });
});
