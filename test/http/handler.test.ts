/** The handler by itself, with an app that does what the test says. */
import { expect, it } from "vitest";
import { createHandler } from "../../src/http/handler.ts";
import type { Context } from "../../src/http/port.ts";
import { type EventInput, InstanceNotFoundError } from "../../src/index.ts";
import { recordingLogger } from "../support/apps.ts";
import { answerTo, BATCH, event, post, postBinary } from "../support/http.ts";

const log = recordingLogger();

const context: Context = {
  authorize: undefined,
  maxBodyBytes: 1_000,
  timeout: 10_000,
  log,
  app: {
    ping: async () => {},
    prepareEvent: async ({ id = "" }) => ({ id, send: async () => {} }),
    publish: async () => ({ id: "m-1" }),
    cancel: async () => {},
    sendTo: async () => ({ id: "m-1" }),
    metrics: () => undefined,
    within: (_, run) => run(),
  },
};

/** A handler, and what events its app was to store. */
function handler(more: Partial<Context> = {}): { fetch: ReturnType<typeof createHandler>; sent: EventInput[] } {
  const sent: EventInput[] = [];
  const app: Context["app"] = {
    ...context.app,
    prepareEvent: async (input) => ({ id: input.id ?? "", send: async () => void sent.push(input) }),
  };
  return { fetch: createHandler({ ...context, app, ...more }), sent };
}

const of = (prepareEvent: Context["app"]["prepareEvent"]): Partial<Context> => ({
  app: { ...context.app, prepareEvent },
});

it("ignores what servers add", async () => {
  const fetch = handler().fetch as (...args: unknown[]) => Promise<Response>;
  expect((await fetch(post(event), { server: true })).status).toBe(202);
});

it("finds its routes below any prefix, with a slash at the end or not", async () => {
  const { fetch } = handler();
  const look = async (path: string): Promise<unknown> => (await fetch(new Request(`http://localhost${path}`))).status;
  expect(await Promise.all(["/health/live", "/a/b/health/ready/", "/health/live//?q=1"].map(look))).toEqual([
    200, 200, 200,
  ]);
  expect(await Promise.all(["/health", "/health/dead", "/xhealth/live/x", "/"].map(look))).toEqual([
    405, 405, 405, 405,
  ]);
  const { headers } = await fetch(new Request("http://localhost/health/live"));
  expect([headers.get("content-type"), headers.get("cache-control")]).toEqual(["application/json", "no-store"]);
});

it("takes a body of just the limit, and none that is larger, whatever it says of its length", async () => {
  const { fetch, sent } = handler();
  const shell = JSON.stringify({ ...event, data: "" }).length;
  const body = (length: number): string => JSON.stringify({ ...event, data: "x".repeat(length - shell) });
  expect((await fetch(post(body(1_000)))).status).toBe(202);
  for (const length of [{}, { "content-length": "10" }, { "content-length": "-5" }, { "content-length": "x" }]) {
    expect((await fetch(post(body(1_001), undefined, length as Record<string, string>))).status).toBe(413);
  }
  expect(sent).toHaveLength(1);
});

it("does not read what is said to be too large, nor more than it must", async () => {
  const { fetch } = handler();
  let pulled = 0;
  const endless = (): Request => {
    const body = new ReadableStream({
      pull(controller) {
        pulled++;
        controller.enqueue(new Uint8Array(400));
      },
    });
    const headers = { "content-type": BATCH };
    return new Request("http://localhost/", { method: "POST", headers, body, duplex: "half" } as RequestInit);
  };
  expect(await answerTo(fetch(endless()))).toEqual({
    status: 413,
    body: {
      error: "The body has more than 1000 bytes, which is the limit.",
      error_type: "PayloadTooLarge",
      retryable: false,
    },
  });
  expect(pulled).toBeLessThan(6);
  pulled = 0;
  const told = endless();
  told.headers.set("content-length", "1001");
  expect((await fetch(told)).status).toBe(413);
  expect(pulled).toBeLessThan(2);
});

it("tells senders nothing of what went wrong inside, but the log all", async () => {
  const secret = new Error("password=hunter2 at /srv/app/db.ts");
  const { fetch } = handler(of(() => Promise.reject(secret)));
  log.lines.length = 0;
  expect(await answerTo(fetch(post(event)))).toEqual({
    status: 500,
    body: { error: "The request could not be handled.", error_type: "InternalError", retryable: true },
  });
  expect(log.lines).toEqual([
    { level: "error", message: "A request failed.", data: { error: secret.message, cause: secret } },
  ]);
});

it("tells that a batch is worth sending again when any event of it is", async () => {
  const { fetch } = handler(
    of(async ({ id = "" }) => ({
      id,
      send: async () => {
        if (id === "2") throw new Error("away");
        if (id === "1") throw new InstanceNotFoundError("nobody");
      },
    })),
  );
  const batch = ["0", "1", "2"].map((id) => ({ ...event, id }));
  expect(await answerTo(fetch(post(batch, BATCH)))).toMatchObject({ status: 500, body: { retryable: true, index: 2 } });
});

it("is not ready when the database says nothing", async () => {
  const app = { ...context.app, ping: () => new Promise(() => {}) };
  const { fetch } = handler({ app, timeout: 10 });
  expect((await fetch(new Request("http://localhost/health/ready"))).status).toBe(503);
});

it("does not store what was found good too late", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const late: string[] = [];
  const { fetch } = handler({
    timeout: 10,
    ...of(async ({ id = "" }) => {
      await promise;
      return { id, send: async () => void late.push(id) };
    }),
  });
  expect((await fetch(post(event))).status).toBe(500);
  resolve();
  await new Promise((resolve) => setImmediate(resolve));
  expect(late).toEqual([]);
});

it("hands on what it was sent, and no more", async () => {
  const { fetch, sent } = handler();
  await fetch(
    post({ ...event, tostring: "a", constructor: "b", validate: "c", time: null, data: { __proto__: null } }),
  );
  await fetch(postBinary({ "ce-validate": "c" }, new Uint8Array([1])));
  const expected: object[] = [
    { id: "e-1", source: "/psp", type: "paid", tostring: "a", constructor: "b", validate: "c", data: {} },
    { id: "e-1", source: "/psp", type: "paid", validate: "c", data: new Uint8Array([1]) },
  ];
  expect(sent).toEqual(expected);
});
