/** The same handler in the servers that people have. */
import { once } from "node:events";
import { Agent, createServer, request as nodeRequest, type RequestListener, type Server } from "node:http";
import { connect as connectHttp2, createServer as createHttp2Server } from "node:http2";
import { type AddressInfo, connect, type Socket } from "node:net";
import express from "express";
import fastify from "fastify";
import { afterEach, describe, expect, it } from "vitest";
import { defineWorkflow, type Romancy, toNodeListener } from "../../src/index.ts";
import { startApp } from "../support/apps.ts";
import { ask, event, STRUCTURED, sendTo, urlOf } from "../support/http.ts";
import { honoServer } from "./servers/hono.js";

const listener = defineWorkflow("listener", (ctx) => ctx.waitEvent("paid"), { events: ["paid"] });

const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
});

async function served(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.push(async () => {
    const closed = once(server, "close");
    server.close();
    // Not there in HTTP/2.
    server.closeAllConnections?.();
    await closed;
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

type Mount = (app: Romancy) => Promise<string>;

const MOUNTS: Readonly<Record<string, Mount>> = {
  "app.listen": urlOf,
  "node:http": ({ fetch }) => served(createServer(toNodeListener(fetch))),
  "Hono, mounted": async ({ fetch }) => `${await served(honoServer(fetch, "mount"))}/romancy`,
  "Hono, by a route": async ({ fetch }) => `${await served(honoServer(fetch, "route"))}/romancy`,
  Express: async ({ fetch }) => {
    const server = express().use("/romancy", toNodeListener(fetch)).use(express.json());
    return `${await served(createServer(server as RequestListener))}/romancy`;
  },
  Fastify: async ({ fetch }) => {
    const server = fastify();
    const listen = toNodeListener(fetch);
    server.register(
      async (scope) => {
        scope.removeAllContentTypeParsers();
        scope.addContentTypeParser("*", (_request, _payload, done) => done(null));
        for (const path of ["/", "/*"]) {
          scope.all(path, (request, reply) => {
            reply.hijack();
            listen(request.raw, reply.raw);
          });
        }
      },
      { prefix: "/romancy" },
    );
    closers.push(() => server.close());
    return `${await server.listen({ port: 0, host: "127.0.0.1" })}/romancy`;
  },
};

describe.each(Object.entries(MOUNTS))("in %s", (_, mount) => {
  it("takes events in all modes and tells of its health", async () => {
    const app = await startApp({ workflows: [listener] });
    const url = await mount(app);
    for (const n of [1, 2]) {
      const handle = await listener.start(app);
      const [headers, body] =
        n === 1
          ? [{ "content-type": STRUCTURED }, JSON.stringify({ ...event, id: "e-1", data: { n } })]
          : [{ "content-type": "application/json", ...binary }, JSON.stringify({ n })];
      expect(await ask(`${url}/`, { headers, body })).toEqual({
        status: 202,
        body: { status: "accepted", id: `e-${n}` },
      });
      expect(await handle.result()).toMatchObject({ id: `e-${n}`, data: { n } });
    }
    expect(await ask(`${url}/health/live`, { method: "GET" })).toEqual({ status: 200, body: { status: "live" } });
    expect(await ask(`${url}/health/ready`, { method: "GET" })).toEqual({ status: 200, body: { status: "ready" } });
    const head = await sendTo(`${url}/health/live`, { method: "HEAD" });
    expect([head.status, head.text]).toEqual([200, ""]);
    const refused = await sendTo(`${url}/x`, { method: "DELETE" });
    expect([refused.status, refused.headers["allow"]]).toEqual([405, "POST"]);
  });

  it("refuses what is too large, whether its length is told or not, and takes the next", async () => {
    const app = await startApp({ workflows: [listener], http: { maxBodyBytes: 1_000 } });
    const url = await mount(app);
    const large = JSON.stringify({ ...event, data: "x".repeat(300_000) });
    const headers = { "content-type": STRUCTURED };
    for (const body of [large, [large.slice(0, 900), large.slice(900)]]) {
      expect(await ask(url, { headers, body })).toMatchObject({
        status: 413,
        body: { error_type: "PayloadTooLarge", retryable: false },
      });
    }
    expect((await ask(url, { headers, body: JSON.stringify(event) })).status).toBe(202);
  });
});

const binary = { "ce-specversion": "1.0", "ce-id": "e-2", "ce-source": "/psp", "ce-type": "paid" };

describe("toNodeListener", () => {
  it("says so when the body was read before", async () => {
    const app = await startApp();
    const server = express().use(express.json()).use(toNodeListener(app.fetch));
    const url = await served(createServer(server as RequestListener));
    const headers = { ...binary, "content-type": "application/json" };
    expect(await ask(url, { headers, body: "{}" })).toEqual({
      status: 500,
      body: {
        error: "The body was read before romancy got the request. Mount romancy ahead of body parsers.",
        error_type: "BodyAlreadyRead",
        retryable: true,
      },
    });
  });

  it.each([
    "TRACE / HTTP/1.1\r\nHost: x\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a b\r\nContent-Length: 0\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET http://%/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: a\r\nContent-Type: b\r\nce-id: 1\r\nce-id: 2\r\nContent-Length: 0\r\n\r\n",
  ])("answers %j with a 4xx and lives on", async (text) => {
    const app = await startApp();
    const url = await urlOf(app);
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    socket.write(text);
    const first = await new Promise<Buffer>((resolve) => socket.once("data", resolve));
    expect(first.toString()).toMatch(/^HTTP\/1.1 4\d\d /);
    socket.destroy();
    expect((await ask(`${url}/health/live`, { method: "GET" })).status).toBe(200);
  });

  it("understands HTTP/2, and requests that break off there", async () => {
    const app = await startApp();
    const { promise: broken, resolve } = Promise.withResolvers<number>();
    const listen = toNodeListener(async (request) => {
      const response = await app.fetch(request);
      if (request.headers.has("x-breaks")) resolve(response.status);
      return response;
    });
    const url = await served(createHttp2Server(listen as never) as unknown as Server);
    const client = connectHttp2(url);
    const head = { ":method": "POST", ":path": "/", "content-type": STRUCTURED };
    const whole = client.request(head);
    whole.end(JSON.stringify(event));
    const [answer] = (await once(whole, "response")) as [Record<string, unknown>];
    expect(answer[":status"]).toBe(202);
    const half = client.request({ ...head, "x-breaks": "yes" });
    half.on("error", () => {});
    half.write("{", () => half.destroy());
    expect(await broken).toBe(400);
    client.destroy();
  });

  it("stores nothing of a request that breaks off", async () => {
    const app = await startApp({ workflows: [listener] });
    const handle = await listener.start(app);
    const answers: number[] = [];
    const { promise: came, resolve: come } = Promise.withResolvers<void>();
    const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
    const url = await served(
      createServer(
        toNodeListener(async (request) => {
          come();
          const response = await app.fetch(request);
          answers.push(response.status);
          answer();
          return response;
        }),
      ),
    );
    const body = JSON.stringify({ ...event, id: "broken" });
    const sender = nodeRequest(url, {
      method: "POST",
      headers: { "content-type": STRUCTURED, "content-length": body.length + 1 },
    });
    sender.on("error", () => {});
    sender.write(body);
    await came;
    sender.destroy();
    await answered;
    expect(answers).toEqual([400]);
    await app.sendEvent({ type: "paid", source: "/psp", id: "whole" });
    expect((await handle.result()).id).toBe("whole");
  });
});

describe("app.listen", () => {
  it("keeps the connection of a sender that was refused in mid-body, and lets go of it at the end", async () => {
    const app = await startApp({ http: { maxBodyBytes: 1_000 } });
    const url = await urlOf(app);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const headers = { "content-type": STRUCTURED };
    const statuses: number[] = [];
    for (const body of ["x".repeat(500_000), ["x".repeat(900), "x".repeat(500_000)], JSON.stringify(event)]) {
      statuses.push((await ask(url, { agent, headers, body })).status);
    }
    const sockets = Object.values(agent.freeSockets).flat();
    expect([statuses, sockets.length]).toEqual([[413, 413, 202], 1]);
    const [socket] = sockets;
    const closed = once(socket as Socket, "close");
    await app.shutdown();
    await closed;
    agent.destroy();
  });

  it("refuses ports that are none or taken", async () => {
    const app = await startApp();
    await expect(app.listen(70_000)).rejects.toThrow("The port 70000 must be a whole number");
    const port = Number(new URL(await urlOf(app)).port);
    await expect(app.listen(port)).rejects.toMatchObject({ code: "EADDRINUSE" });
  });

  it("does not wait for ever for who sends half a request", async () => {
    const app = await startApp({ shutdownTimeout: 20 });
    const url = await urlOf(app);
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    const closed = once(socket, "close");
    socket.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 9\r\nce-id: 1\r\n\r\n{");
    // The next one is answered: that one has come before.
    await ask(`${url}/health/live`, { method: "GET" });
    await app.shutdown();
    await closed;
  });

  it("ends with the app, which need not be started, and keeps to this machine unless told otherwise", async () => {
    const app = await startApp();
    const server = await app.listen(0);
    expect((server.address() as AddressInfo).address).toBe("127.0.0.1");
    const everywhere = await app.listen(0, { host: "0.0.0.0" });
    expect((everywhere.address() as AddressInfo).address).toBe("0.0.0.0");
    await app.shutdown();
    expect([server.listening, everywhere.listening]).toEqual([false, false]);
    const again = await app.listen(0);
    await app.shutdown();
    expect(again.listening).toBe(false);
  });
});
