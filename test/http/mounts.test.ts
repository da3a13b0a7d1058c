/** Handlers of one's own beside Romancy's routes. */
import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { startApp } from "../support/apps.ts";
import { ask, event, STRUCTURED, urlOf } from "../support/http.ts";
import { gate } from "../support/wait.ts";

describe("app.mount", () => {
  it("has a path answered below any prefix, whatever the method; all else is as before", async () => {
    const app = await startApp();
    app.mount("/tools/mcp", () => new Response("inner"));
    app.mount("/mcp", async (request) => new Response(`${request.method} ${await request.text()}`));
    const read = async (path: string, init: RequestInit = {}): Promise<string> => {
      const response = await app.fetch(new Request(`http://localhost${path}`, init));
      return `${response.status} ${await response.text()}`;
    };
    expect(await read("/mcp")).toBe("200 GET ");
    expect(await read("/romancy/mcp/?a=1", { method: "POST", body: "x" })).toBe("200 POST x");
    expect(await read("/mcp", { method: "DELETE" })).toBe("200 DELETE ");
    expect(await read("/tools/mcp")).toBe("200 inner");
    for (const path of ["/mcp/x", "/xmcp", "/MCP", "/"]) expect(await read(path)).toMatch(/^405 /);
    const headers = { "content-type": STRUCTURED };
    expect(await read("/", { method: "POST", headers, body: JSON.stringify(event) })).toMatch(/^202 /);
    // A channel that is called as what is mounted.
    const message = { method: "POST", headers: { "content-type": "application/json" }, body: '{"data":1}' };
    expect(await read("/publish/mcp", message)).toMatch(/^202 .*"accepted"/);
  });

  it.each(["/health/live", "/a/health/ready", "/publish/news", "/send/a/b", "/cancel", "/cancel/a"])(
    "does not take %s from Romancy",
    async (path) => {
      const app = await startApp();
      expect(() => app.mount(path, () => new Response())).toThrow(`at ${path}, which is a route of Romancy's own`);
    },
  );

  it.each(["", "/", "mcp", "/mcp/", "//mcp", "/a b", "/%41", "/*", 7 as never])(
    "refuses %j, which is no path",
    async (path) => {
      const app = await startApp();
      expect(() => app.mount(path, () => new Response())).toThrow("Give a path such as");
    },
  );

  it("refuses a second handler for a path", async () => {
    const app = await startApp();
    app.mount("/mcp", () => new Response());
    expect(() => app.mount("/mcp", () => new Response())).toThrow("Something is mounted at /mcp already");
  });

  it("answers for a handler that fails", async () => {
    const app = await startApp();
    app.mount("/mcp", () => {
      throw new Error("secret");
    });
    const response = await app.fetch(new Request("http://localhost/mcp"));
    expect([response.status, await response.json()]).toEqual([
      500,
      { error: "The request could not be handled.", error_type: "InternalError", retryable: true },
    ]);
  });
});

describe("toNodeListener", () => {
  it("sends a stream of events as they come, and ends it when nobody listens", async () => {
    const app = await startApp();
    const cancelled = gate();
    app.mount("/stream", () => {
      const body = new ReadableStream({
        start: (controller) => controller.enqueue(new TextEncoder().encode("data: 1\n\n")),
        cancel: () => cancelled.open(),
      });
      return new Response(body, { headers: { "content-type": "text/event-stream" } });
    });
    const stop = new AbortController();
    const response = await fetch(`${await urlOf(app)}/stream`, { signal: stop.signal });
    const reader = response.body?.getReader();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe("data: 1\n\n");
    stop.abort();
    await cancelled.opened;
  });

  it("tells a handler that the sender has gone", async () => {
    const app = await startApp();
    const came = gate();
    const gone = gate();
    app.mount("/wait", async ({ signal }) => {
      signal.addEventListener("abort", () => gone.open());
      came.open();
      await gone.opened;
      return new Response("late");
    });
    const url = await urlOf(app);
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    socket.write("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
    await came.opened;
    socket.destroy();
    await gone.opened;
    expect((await ask(`${url}/health/live`, { method: "GET" })).status).toBe(200);
  });
});
