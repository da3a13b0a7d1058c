/** Events sent by HTTP, to brokers of all kinds. */
import { describe, expect, it } from "vitest";
import {
  defineActivity,
  defineWorkflow,
  type OutgoingEventInput,
  type Romancy,
  type RomancyOptions,
  ValidationError,
} from "../../src/index.ts";
import { anotherDatabase, createApp, startApp } from "../support/apps.ts";
import { urlOf } from "../support/http.ts";
import { entries, settled } from "../support/outbox.ts";
import { freePort } from "../support/servers/free-port.ts";
import { openSink } from "../support/sink.ts";
import { until } from "../support/wait.ts";

const post = defineActivity("post", (ctx, event: OutgoingEventInput) => ctx.sendEvent(event));
const flow = defineWorkflow("flow", (ctx, event: OutgoingEventInput) => post(ctx, event));

const quickly = { initialInterval: 1, maxInterval: 1, jitter: 0 } as const;

type OutboxOptions = Exclude<RomancyOptions["outbox"], boolean>;

const startRelayer = (outbox: OutboxOptions, more: Partial<RomancyOptions> = {}): Promise<Romancy> =>
  startApp({ workflows: [flow], ...more, outbox: { retry: { ...quickly, maxAttempts: 3 }, ...outbox } });

async function send(app: Romancy, event: Partial<OutgoingEventInput> = {}): Promise<void> {
  await (await flow.start(app, { type: "paid", source: "/psp", id: "e-1", ...event })).result();
}

describe("a broker", () => {
  it("gets binary mode: attributes in headers, and the data alone", async () => {
    const sink = await openSink();
    const app = await startRelayer({ brokerUrl: sink.url, headers: { authorization: "Bearer secret" } });
    await send(app, { subject: "ORD 1 ä%", time: "2026-01-02T03:04:05.678901Z", tenant: "t1", n: 7, data: { a: "ä" } });
    await settled(app, 1);
    const [{ method, url, headers, body } = expect.fail()] = sink.taken;
    expect({ method, url }).toEqual({ method: "POST", url: "/events" });
    expect(headers).toMatchObject({
      "ce-specversion": "1.0",
      "ce-id": "e-1",
      "ce-source": "/psp",
      "ce-type": "paid",
      "ce-subject": "ORD%201%20%C3%A4%25",
      "ce-time": "2026-01-02T03:04:05.678901Z",
      "ce-tenant": "t1",
      "ce-n": "7",
      "content-type": "application/json",
      authorization: "Bearer secret",
    });
    expect(body.toString()).toBe('{"a":"ä"}');
  });

  it.each([
    ["text", undefined, '"text"', "application/json"],
    [0, undefined, "0", "application/json"],
    [null, undefined, "null", "application/json"],
    ["<a/>", "application/xml", "<a/>", "application/xml"],
    [new Uint8Array([1, 2]), undefined, "\u0001\u0002", "application/octet-stream"],
    [undefined, undefined, "", undefined],
  ])("gets the data %j of type %s as they are", async (data, datacontenttype, text, type) => {
    const sink = await openSink();
    const app = await startRelayer({ brokerUrl: sink.url });
    await send(app, { data, ...(datacontenttype !== undefined && { datacontenttype }) });
    await settled(app, 1);
    expect(sink.taken.map(({ body, headers }) => [body.toString(), headers["content-type"]])).toEqual([[text, type]]);
  });

  it("gets structured mode: all of it as JSON", async () => {
    const sink = await openSink();
    const headers = async (): Promise<Record<string, string>> => ({ "x-token": "fresh" });
    const app = await startRelayer({ brokerUrl: new URL(sink.url), mode: "structured", headers });
    await send(app, { data: { a: 1 }, tenant: "t1" });
    await send(app, { data: new Uint8Array([255]) });
    await settled(app, 2);
    expect(sink.taken[0]?.headers).toMatchObject({ "x-token": "fresh" });
    expect(sink.taken[0]?.headers["content-type"]).toContain("application/cloudevents+json");
    const bodies = sink.taken.map(({ body }) => JSON.parse(body.toString()) as Record<string, unknown>);
    const common = { specversion: "1.0", id: "e-1", source: "/psp", type: "paid", time: expect.any(String) };
    expect(bodies.toSorted((a) => ("data" in a ? -1 : 1))).toEqual([
      { ...common, tenant: "t1", datacontenttype: "application/json", data: { a: 1 } },
      { ...common, datacontenttype: "application/octet-stream", data_base64: "/w==" },
    ]);
  });

  it.each(["binary", "structured"] as const)("may be another app, in %s mode", async (mode) => {
    const waiter = defineWorkflow("waiter", (ctx) => ctx.waitEvent("paid", { key: "ORD 1 ä" }), { events: ["paid"] });
    const { url } = await anotherDatabase();
    const receiver = await startApp({ database: url, workflows: [waiter] });
    const handle = await waiter.start(receiver);
    const app = await startRelayer({ brokerUrl: await urlOf(receiver), mode });
    await send(app, { subject: "ORD 1 ä", data: { n: [1] } });
    expect(await handle.result()).toMatchObject({ id: "e-1", subject: "ORD 1 ä", source: "/psp", data: { n: [1] } });
    await settled(app, 1);
    // Its connections are closed by who listens.
    await receiver.shutdown();
  });
});

describe("an answer", () => {
  it.each([400, 401, 404, 409, 413, 415, 422])("%i is for good", async (status) => {
    const sink = await openSink(() => ({ status, headers: {}, body: "schema unknown" }));
    const app = await startRelayer({ brokerUrl: sink.url });
    await send(app);
    expect(await settled(app, 1)).toMatchObject([{ status: "invalid", attempts: 1 }]);
    expect((await entries(app))[0]?.lastError).toContain(`The broker answered ${status}: schema unknown`);
    expect(sink.ids()).toEqual(["e-1"]);
  });

  it.each([500, 502, 503, 408, 425, 429])("%i is not, and the id stays the same", async (status) => {
    const sink = await openSink((_, n) => (n < 3 ? status : 202));
    const app = await startRelayer({ brokerUrl: sink.url });
    await send(app);
    expect(await settled(app, 1)).toMatchObject([{ status: "published", attempts: 3 }]);
    expect(sink.ids()).toEqual(["e-1", "e-1", "e-1"]);
  });

  it("with Retry-After says when", async () => {
    const sink = await openSink(() => ({ status: 429, headers: { "retry-after": "3600" } }));
    const app = await startRelayer({ brokerUrl: sink.url });
    await send(app);
    await until(async () => (await entries(app))[0]?.attempts === 1);
    const [entry] = await entries(app);
    expect(Number(entry?.nextAttemptAt) - Number(entry?.createdAt)).toBeGreaterThan(3_500_000);
    expect(entry?.status).toBe("pending");
  });

  it("that leads elsewhere is none", async () => {
    const sink = await openSink(() => ({ status: 302, headers: { location: "/elsewhere" } }));
    const app = await startRelayer({ brokerUrl: sink.url });
    await send(app);
    expect(await settled(app, 1)).toMatchObject([{ status: "failed", lastError: "The broker answered 302" }]);
    expect(new Set(sink.taken.map(({ url }) => url))).toEqual(new Set(["/events"]));
  });

  it("that does not come, or breaks off, is waited for elsewhere", async () => {
    const sink = await openSink((_, n) => {
      if (n === 1) return () => {};
      if (n === 2) return (response) => response.socket?.destroy();
      return 200;
    });
    const app = await startRelayer({ brokerUrl: sink.url, timeout: 50 });
    await send(app);
    expect(await settled(app, 1)).toMatchObject([{ status: "published", attempts: 3 }]);
    expect((await entries(app))[0]?.lastError).toContain("The broker could not be reached");
  });

  it("of a broker that is not there is none", async () => {
    const app = await startRelayer({ brokerUrl: `http://127.0.0.1:${await freePort()}/` });
    await send(app);
    expect(await settled(app, 1)).toMatchObject([{ status: "failed", attempts: 3 }]);
    expect((await entries(app))[0]?.lastError).toContain("ECONNREFUSED");
  });
});

describe("the short form of where events go", () => {
  it("is the same as the long one", async () => {
    const sent: string[] = [];
    const ticks = defineWorkflow("ticks", async (ctx) => ctx.sendEvent({ type: "tick", id: "short" }));
    const publisher = async ({ id }: { readonly id: string }): Promise<void> => void sent.push(id);
    const app = await startApp({ workflows: [ticks], publisher, outbox: { batchSize: 5 } });
    await (await ticks.start(app)).result();
    await until(() => sent.length === 1);
    expect(sent).toEqual(["short"]);
  });

  it("is refused beside the long one, and for both ways at once", () => {
    const publisher = async (): Promise<void> => {};
    const brokerUrl = "http://127.0.0.1:1";
    for (const options of [
      { publisher, outbox: { publisher } },
      { brokerUrl, outbox: { brokerUrl } },
      { brokerUrl, publisher },
      { brokerUrl, outbox: { publisher } },
    ]) {
      expect(() => createApp(options)).toThrow(ValidationError);
    }
  });
});
