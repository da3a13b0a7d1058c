/** CloudEvents over real HTTP: by the official SDK, and by hand what the SDK does not send. */
import { CloudEvent, emitterFor, HTTP, httpTransport, Mode, type TransportFunction } from "cloudevents";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { defineWorkflow, type ReceivedEvent, type Romancy, type WorkflowHandle } from "../../src/index.ts";
import { startApp, testDatabase } from "../support/apps.ts";
import { answerTo, ask, BATCH, event, post, postBinary, urlOf } from "../support/http.ts";
import { until } from "../support/wait.ts";

const listener = defineWorkflow("listener", (ctx) => ctx.waitEvent("paid"), { events: ["paid"] });

/** Takes events until one says that it is the last. */
const collector = defineWorkflow(
  "collector",
  async (ctx) => {
    const ids: string[] = [];
    for (;;) {
      const { id, data } = await ctx.waitEvent<string | undefined>("paid");
      ids.push(id);
      if (data === "last") return ids;
    }
  },
  { events: ["paid"] },
);

async function listening(): Promise<{ app: Romancy; handle: WorkflowHandle<ReceivedEvent<unknown>> }> {
  const app = await startApp({ workflows: [listener] });
  return { app, handle: await listener.start(app) };
}

async function stored(): Promise<number> {
  const counts = await Promise.all(
    ["romancy_inbox", "romancy_instances"].map((table) => testDatabase().rows(`select count(*) as n from ${table}`)),
  );
  return counts.reduce((sum, [row]) => sum + Number(row?.["n"]), 0);
}

describe("the SDK's client", () => {
  const given = new CloudEvent({
    id: "e-1",
    source: "https://example.com/psp",
    type: "paid",
    subject: "ORD-1",
    time: "2026-01-02T03:04:05.678Z",
    dataschema: "https://example.com/paid.json",
    datacontenttype: "application/json",
    partition: "p-7",
    data: { amount: 99.99, lines: [{ name: "crème brûlée" }] },
  });
  const received = {
    id: "e-1",
    source: "https://example.com/psp",
    type: "paid",
    subject: "ORD-1",
    time: "2026-01-02T03:04:05.678Z",
    dataschema: "https://example.com/paid.json",
    datacontenttype: "application/json",
    extensions: { partition: "p-7" },
    data: { amount: 99.99, lines: [{ name: "crème brûlée" }] },
  };

  it.each([Mode.STRUCTURED, Mode.BINARY])("sends in %s mode what the workflow gets", async (mode) => {
    const { app, handle } = await listening();
    const emit = emitterFor(httpTransport(await urlOf(app)), { binding: HTTP, mode });
    const { body, headers } = (await emit(given)) as { body: string; headers: Record<string, string> };
    expect(JSON.parse(body)).toEqual({ status: "accepted", id: "e-1" });
    expect(headers["content-type"]).toBe("application/json");
    const { datacontenttype, ...rest } = await handle.result();
    expect({ ...rest, datacontenttype: datacontenttype?.replace("; charset=utf-8", "") }).toEqual(received);
  });

  it("sends bytes in both modes", async () => {
    const app = await startApp({ workflows: [listener] });
    const url = await urlOf(app);
    const bytes = new Uint8Array([0, 255, 128, 10]);
    // The SDK's own transport cannot send a body of bytes whole.
    const transport: TransportFunction = ({ headers, body }) =>
      ask(url, { headers: headers as Record<string, string>, body: body as Uint8Array });
    for (const mode of [Mode.STRUCTURED, Mode.BINARY]) {
      const handle = await listener.start(app);
      const emit = emitterFor(transport, { binding: HTTP, mode });
      const one = new CloudEvent({ ...event, id: mode, datacontenttype: "application/octet-stream", data: bytes });
      expect(await emit(one)).toEqual({ status: 202, body: { status: "accepted", id: mode } });
      expect((await handle.result()).data).toEqual(bytes);
    }
  });
});

describe("structured mode", () => {
  // The SDK's parser loses each of these.
  it.each([[0], [false], [""], [null], [[]], ["text"], [{ constructor: 1 }]])("keeps the data %j", async (data) => {
    const { app, handle } = await listening();
    const type = "application/cloudevents+json;charset=UTF-8";
    expect((await app.fetch(post({ ...event, data }, type))).status).toBe(202);
    expect((await handle.result()).data).toEqual(data);
  });

  it("gives data_base64 as bytes, leaves out what is null, and makes nothing up", async () => {
    const { app, handle } = await listening();
    await app.fetch(post({ ...event, id: "é/漢/😀", data_base64: "AP+ACg==", subject: null, flag: true, count: 3 }));
    expect(await handle.result()).toEqual({
      id: "é/漢/😀",
      source: "/psp",
      type: "paid",
      extensions: { flag: true, count: 3 },
      data: new Uint8Array([0, 255, 128, 10]),
    });
  });
});

describe("binary mode", () => {
  it.each([
    ["JSON of any kind", "application/vnd.shop+json; charset=utf-8", '{"n":1}', { n: 1 }],
    ["JSON that is no object", "application/json", " 7", 7],
    ["text", "text/plain", "7", "7"],
    ["text in its charset", "text/plain; charset=iso-8859-1", new Uint8Array([0xe9]), "é"],
    ["XML", "application/soap+xml", "<a/>", "<a/>"],
    ["anything else", "image/png", new Uint8Array([1, 2]), new Uint8Array([1, 2])],
  ])("gives %s as what it is", async (_, type, body, data) => {
    const { app, handle } = await listening();
    expect((await app.fetch(postBinary({ "content-type": type }, body))).status).toBe(202);
    expect(await handle.result()).toMatchObject({ datacontenttype: type, data });
  });

  it("has no data without a body", async () => {
    const { app, handle } = await listening();
    await app.fetch(postBinary({}));
    expect(await handle.result()).toEqual({ ...received("e-1"), data: undefined });
  });

  it.each([
    ["percent-encoded", "Euro%20%E2%82%AC%20%f0%9f%98%80", "Euro € 😀"],
    ["encoded without need", "%41%2D1", "A-1"],
    ["encoded twice, which is decoded once", "100%2525", "100%25"],
    ["quoted, as older senders do", '"a \\"b\\" %63"', 'a "b" c'],
  ])("decodes attributes that are %s", async (_, header, id) => {
    const { app, handle } = await listening();
    await app.fetch(postBinary({ "ce-id": header, "ce-note": header, "ce-time": "2026-01-02T03%3A04%3A05Z" }));
    expect(await handle.result()).toMatchObject({ id, time: "2026-01-02T03:04:05Z", extensions: { note: id } });
  });

  it("takes the URIs of senders that do not encode as they are", async () => {
    const { app, handle } = await listening();
    await app.fetch(postBinary({ "ce-source": "https://example.com/a%20b" }));
    expect((await handle.result()).source).toBe("https://example.com/a%20b");
  });
});

function received(id: string): object {
  return { id, source: "/psp", type: "paid", extensions: {} };
}

describe("batches", () => {
  it("are taken in order, copies once", async () => {
    const app = await startApp({ workflows: [collector] });
    const handle = await collector.start(app);
    const ids = Array.from({ length: 50 }, (_, n) => `e-${n}`);
    const batch = [...ids, "e-3"].map((id) => ({ ...event, id }));
    expect(await answerTo(app.fetch(post(batch, BATCH)))).toEqual({
      status: 202,
      body: { status: "accepted", ids: [...ids, "e-3"] },
    });
    await app.fetch(post([{ ...event, id: "end", data: "last" }], BATCH));
    expect(await handle.result()).toEqual([...ids, "end"]);
  });

  it("may be empty", async () => {
    const app = await startApp();
    expect(await answerTo(app.fetch(post([], BATCH)))).toEqual({ status: 202, body: { status: "accepted", ids: [] } });
  });

  it("are refused whole when one event is at fault", async () => {
    const strict = defineWorkflow("strict", (_, n: number) => n, { eventHandler: true, input: z.number() });
    const app = await startApp({ workflows: [listener, strict] });
    await listener.start(app);
    const before = await stored();
    for (const bad of [{ ...event, id: "" }, { ...event, type: "strict", data: "x" }, { ...event, "not-this": 1 }, 7]) {
      const batch = [event, { ...event, type: "strict", id: "e-2", data: 7 }, bad];
      expect(await answerTo(app.fetch(post(batch, BATCH)))).toEqual({
        status: 400,
        body: { error: expect.any(String), error_type: "ValidationError", retryable: false, index: 2 },
      });
    }
    expect(await stored()).toBe(before);
  });

  it("tell of the event that its instance does not take; the others are stored", async () => {
    const { app, handle } = await listening();
    const batch = [{ ...event, id: "lost", romancyinstanceid: "nobody" }, event];
    expect(await answerTo(app.fetch(post(batch, BATCH)))).toMatchObject({
      status: 404,
      body: { error_type: "InstanceNotFoundError", retryable: false, index: 0 },
    });
    expect((await handle.result()).id).toBe("e-1");
  });
});

describe("an event", () => {
  it("that is sent again starts nothing and is delivered to nobody twice", async () => {
    const handler = defineWorkflow("paid", (_, data: { n: number; at?: number }) => data, {
      eventHandler: true,
      // What it makes of the event is another thing each time.
      input: z.object({ n: z.number(), at: z.number().default(() => performance.now()) }),
    });
    const app = await startApp({ workflows: [handler, collector] });
    const handle = await collector.start(app);
    const url = await urlOf(app);
    const once = { ...event, data: { n: 1 } };
    const copies = [post(once), post(once), postBinary({ "content-type": "application/json" }, '{"n":1}')];
    for (const copy of [...copies, post({ ...once, data: { n: 2 } })]) {
      const headers = Object.fromEntries(copy.headers);
      expect(await ask(url, { headers, body: await copy.text() })).toEqual({
        status: 202,
        body: { status: "accepted", id: "e-1" },
      });
    }
    // The handler of this one does not take it: it is for one instance alone.
    await app.fetch(post({ ...event, id: "end", data: "last", romancyinstanceid: handle.id }));
    expect(await handle.result()).toEqual(["e-1", "end"]);
    expect((await app.listInstances({ workflow: "paid" })).instances).toHaveLength(1);
  });

  it("for one instance reaches it alone; one that is not there or has ended is told", async () => {
    const app = await startApp({ workflows: [listener] });
    const [one, two] = await Promise.all([listener.start(app), listener.start(app)]);
    const target = { ...event, romancyinstanceid: one.id };
    expect((await app.fetch(post(target))).status).toBe(202);
    expect((await one.result()).id).toBe("e-1");
    expect(await two.status()).not.toBe("completed");
    expect(await answerTo(app.fetch(post({ ...target, id: "e-2" })))).toMatchObject({
      status: 409,
      body: { error_type: "InstanceFinishedError", retryable: false },
    });
    expect(await answerTo(app.fetch(post({ ...target, romancyinstanceid: "nobody" })))).toMatchObject({
      status: 404,
      body: { error_type: "InstanceNotFoundError", retryable: false },
    });
  });

  it("is durable when it is accepted", async () => {
    const { app, handle } = await listening();
    await until(async () => (await handle.status()) === "waiting");
    await app.shutdown();
    const client = await startApp({ worker: false });
    const before = await stored();
    expect((await client.fetch(post(event))).status).toBe(202);
    expect(await stored()).toBe(before + 1);
  });

  it("is refused, and stored nowhere, when its handler does not take the data", async () => {
    const handler = defineWorkflow("paid", (_, data: { n: number }) => data.n, {
      eventHandler: true,
      input: z.object({ n: z.number() }),
    });
    const app = await startApp({ workflows: [handler, listener] });
    await listener.start(app);
    const before = await stored();
    const answer = await answerTo(app.fetch(post({ ...event, data: { n: "much" } })));
    expect(answer).toMatchObject({ status: 400, body: { error_type: "ValidationError", retryable: false } });
    expect((answer.body as { error: string }).error).toMatch(/^Argument 1 of workflow paid is not valid: n: /);
    expect(await stored()).toBe(before);
  });
});
