/** The database is away, the app is not there, somebody may not come in. */
import { Agent } from "node:http";
import { describe, expect, it } from "vitest";
import { defineWorkflow } from "../../src/index.ts";
import { createApp, holdDatabase, recordingLogger, startApp, testDatabase } from "../support/apps.ts";
import { watchDriver } from "../support/database.ts";
import { failingCommits } from "../support/faults.ts";
import { answerTo, BATCH, event, post, STRUCTURED, sendTo, urlOf } from "../support/http.ts";

const listener = defineWorkflow("listener", (ctx) => ctx.waitEvent("paid"), { events: ["paid"] });

/** Takes two, unless there is but one. */
const pair = defineWorkflow(
  "pair",
  async (ctx) => {
    const first = await ctx.waitEvent("paid");
    const second = await ctx.waitEvent("paid", { timeout: "200ms" }).catch(() => undefined);
    return [first.id, second?.id];
  },
  { events: ["paid"] },
);

const tryAgain = (type: string): object => ({
  status: 500,
  body: { error: expect.any(String), error_type: type, retryable: true },
});

const ready = new Request("http://localhost/health/ready");
const live = new Request("http://localhost/health/live");

describe("a database that does not answer", () => {
  it("is a 500, and what is sent again is delivered once", async () => {
    const app = await startApp({ workflows: [pair], http: { timeout: "500ms" } });
    const handle = await pair.start(app);
    const hold = await holdDatabase();
    expect(await answerTo(app.fetch(post(event)))).toEqual(tryAgain("TimeoutError"));
    expect(await answerTo(app.fetch(post([event], BATCH)))).toMatchObject(tryAgain("TimeoutError"));
    await hold.release();
    await app.sendEvent({ type: "unheard", source: "s" });
    expect((await app.fetch(post(event))).status).toBe(202);
    expect(await handle.result()).toEqual(["e-1", undefined]);
  });

  it("that comes back in time costs the sender nothing", async () => {
    const app = await startApp({ workflows: [listener] });
    const handle = await listener.start(app);
    await failingCommits(3, async () => {
      expect((await app.fetch(post(event))).status).toBe(202);
    });
    expect((await handle.result()).id).toBe("e-1");
  });

  it("is a 503 for who asks whether it is ready, and the process lives", async () => {
    const app = await startApp();
    const stop = watchDriver({
      before() {
        throw new Error("The database is away.");
      },
    });
    const answers = await Promise.all([answerTo(app.fetch(ready)), answerTo(app.fetch(live))]).finally(stop);
    expect(answers).toEqual([
      { status: 503, body: { status: "not ready" } },
      { status: 200, body: { status: "live" } },
    ]);
    expect((await app.fetch(ready)).status).toBe(200);
  });
});

describe("an app that is not started", () => {
  it("lives, is not ready and takes nothing", async () => {
    const app = createApp();
    const url = await urlOf(app);
    const look = async (): Promise<unknown[]> => [
      (await sendTo(`${url}/health/live`, { method: "GET" })).status,
      (await sendTo(`${url}/health/ready`, { method: "GET" })).status,
      (await app.fetch(post(event))).status,
    ];
    expect(await look()).toEqual([200, 503, 500]);
    expect(await answerTo(app.fetch(post(event)))).toEqual(tryAgain("AppStateError"));
    await app.start();
    expect(await look()).toEqual([200, 200, 202]);
    await app.shutdown();
    expect((await app.fetch(ready)).status).toBe(503);
  });

  it("answers what it was asked before it was shut down", async () => {
    const app = await startApp({ workflows: [listener] });
    const handle = await listener.start(app);
    const url = await urlOf(app);
    const hold = await holdDatabase();
    const agent = new Agent({ keepAlive: true });
    const answer = sendTo(url, { agent, headers: { "content-type": STRUCTURED }, body: JSON.stringify(event) });
    await hold.waitedFor();
    const over = app.shutdown();
    await hold.release();
    // The sender is not to come again by this way.
    expect(await answer).toMatchObject({ status: 202, headers: { connection: "close" } });
    await over;
    agent.destroy();
    const next = await startApp({ workflows: [listener] });
    expect((await next.handle(listener, handle.id).result()).id).toBe("e-1");
  });
});

describe("authorize", () => {
  const stored = async (): Promise<unknown[]> => testDatabase().rows("select type from romancy_inbox");

  it.each([
    ["false", () => false, 403],
    ["nothing", () => undefined, 403],
    ["what is merely true enough", () => 1, 403],
    ["a promise of false", async () => false, 403],
    ["an error", () => JSON.parse("{"), 500],
    ["a rejection", () => Promise.reject(new Error("no")), 500],
  ])("lets nobody in with %s, and stores nothing", async (_, authorize, status) => {
    const logger = recordingLogger();
    const app = await startApp({
      workflows: [listener],
      logger,
      http: { authorize: authorize as unknown as () => boolean },
    });
    await listener.start(app);
    expect(await answerTo(app.fetch(post(event)))).toEqual({
      status,
      body: {
        error: status === 403 ? "The request is not allowed." : "The request could not be handled.",
        error_type: status === 403 ? "Forbidden" : "InternalError",
        retryable: status === 500,
      },
    });
    expect(await stored()).toEqual([]);
    expect(logger.lines.filter(({ level }) => level === "error")).toHaveLength(status === 500 ? 1 : 0);
    expect((await app.fetch(ready)).status).toBe(200);
  });

  it("sees the request with its body, and lets it in with true", async () => {
    const seen: unknown[] = [];
    const app = await startApp({
      workflows: [listener],
      http: {
        authorize: async (request) => {
          seen.push([request.method, new URL(request.url).pathname, await request.json()]);
          return request.headers.get("authorization") === "Bearer secret";
        },
      },
    });
    const handle = await listener.start(app);
    expect((await app.fetch(post(event))).status).toBe(403);
    const request = post(event, undefined, { authorization: "Bearer secret" });
    expect((await app.fetch(request)).status).toBe(202);
    expect((await handle.result()).id).toBe("e-1");
    expect(seen).toEqual([
      ["POST", "/", event],
      ["POST", "/", event],
    ]);
  });

  it("that never answers is a 500, and what it says later changes nothing", async () => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const app = await startApp({ workflows: [listener], http: { authorize: () => promise, timeout: 20 } });
    await listener.start(app);
    expect(await answerTo(app.fetch(post(event)))).toEqual(tryAgain("TimeoutError"));
    resolve(true);
    await app.sendEvent({ type: "unheard", source: "s" });
    expect(await stored()).toEqual([]);
  });
});

describe("the options", () => {
  it.each([
    [{ authorize: "yes" }, "http.authorize must be a function"],
    [{ maxBodyBytes: 0 }, "http.maxBodyBytes is 0"],
    [{ timeout: "soon" }, "http.timeout"],
  ])("%j are refused", (http, message) => {
    expect(() => createApp({ http: http as object })).toThrow(message);
  });
});
