/** Who is let in by HTTP, and what limits hold. */
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { until } from "../support/wait.ts";
import { call, connectHttp, startHttp } from "./support/clients.ts";

const LIST = { jsonrpc: "2.0", id: 1, method: "tools/list", params: {} };

const INITIALIZE = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "test", version: "0.0.0" } },
};

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** By Node's own client, which sends whatever `Host` it is told. */
async function post(url: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Reply> {
  const all = { accept: "application/json, text/event-stream", "content-type": "application/json", ...headers };
  const sent = request(url, { method: "POST", headers: all });
  sent.end(typeof body === "string" ? body : JSON.stringify(body));
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  return { status: response.statusCode ?? 0, headers: response.headers, text: await text(response) };
}

describe("a server by HTTP", () => {
  it("answers this machine alone, unless told otherwise", async () => {
    const { url } = await startHttp();
    const refused = [
      { host: "evil.example" },
      { host: "evil.example:80" },
      { host: "localhost.evil.example" },
      { origin: "https://evil.example" },
      { origin: "null" },
    ];
    for (const headers of refused) {
      const { status, text } = await post(url, LIST, headers);
      expect([status, JSON.parse(text)], JSON.stringify(headers)).toMatchObject([403, { error: { code: -32_000 } }]);
    }
    for (const headers of [{}, { host: "localhost:1" }, { origin: "http://localhost:5173" }]) {
      expect((await post(url, LIST, headers)).status, JSON.stringify(headers)).toBe(200);
    }
  });

  it("answers the hosts and pages that it is told of", async () => {
    const { url } = await startHttp({ allowedHosts: ["api.example"], allowedOrigins: ["app.example"] });
    const status = async (headers: Record<string, string>): Promise<number> => (await post(url, LIST, headers)).status;
    expect(await status({ host: "api.example" })).toBe(200);
    expect(await status({ host: "api.example", origin: "https://app.example" })).toBe(200);
    expect(await status({ host: "api.example", origin: "http://localhost" })).toBe(403);
    expect(await status({ host: "localhost" })).toBe(403);
  });

  it("answers whatever it is called, when told so", async () => {
    const { url } = await startHttp({ allowedHosts: "any" });
    expect((await post(url, LIST, { host: "whatever.example" })).status).toBe(200);
    expect((await post(url, LIST, { origin: "https://evil.example" })).status).toBe(403);
  });

  it("refuses bodies that are too large, and what is no JSON", async () => {
    const { url } = await startHttp({ maxBodyBytes: 1_000, sessions: true });
    const large = { ...LIST, params: { padding: "x".repeat(1_000) } };
    expect((await post(url, large)).status).toBe(413);
    expect((await post(url, "{")).status).toBe(400);
    expect((await post(url, LIST, { "content-type": "text/plain" })).status).toBe(415);
    expect((await post(url, INITIALIZE)).status).toBe(200);
  });
});

describe("tokens", () => {
  it.each(["expired", "throws", "rejects", "nothing", "truthy"])(
    "let nobody in when the verifier is one that says %s",
    async (verifier) => {
      const { url } = await startHttp({ verifier });
      for (const headers of [{}, { authorization: "Bearer good" }, { authorization: "Basic good" }]) {
        const { status, headers: answered } = await post(url, LIST, headers);
        expect([status, answered["www-authenticate"]], JSON.stringify(headers)).toEqual([
          401,
          expect.stringMatching(/^Bearer .*invalid_token/),
        ]);
      }
    },
  );

  it("let in whom the verifier knows, and tell others where to get one", async () => {
    const resourceMetadataUrl = "https://api.example/.well-known/oauth-protected-resource/mcp";
    const { url } = await startHttp({ verifier: "good", resourceMetadataUrl });
    const refused = await post(url, LIST, { authorization: "Bearer bad" });
    expect([refused.status, refused.headers["www-authenticate"]]).toEqual([
      401,
      expect.stringContaining(`resource_metadata="${resourceMetadataUrl}"`),
    ]);
    const client = await connectHttp(url, "modern", "good");
    expect((await call(client, "sum_start", { a: 1 })).isError).toBe(false);
    await expect(connectHttp(url, "legacy", "bad")).rejects.toThrow("invalid_token");
  });

  it("must have the scopes that are asked for", async () => {
    const { url } = await startHttp({ verifier: "owner", requiredScopes: ["write"] });
    expect((await post(url, LIST, { authorization: "Bearer reader" })).status).toBe(403);
    expect((await post(url, LIST, { authorization: "Bearer writer" })).status).toBe(200);
  });
});

describe("sessions", () => {
  const session = (id: unknown): Record<string, string> => ({ "mcp-session-id": String(id) });

  it("are there for clients of 2025, and end when they are told to", async () => {
    const { url } = await startHttp({ sessions: true });
    const { status, headers } = await post(url, INITIALIZE);
    expect([status, headers["mcp-session-id"]]).toEqual([200, expect.stringMatching(/^[0-9a-f-]{36}$/)]);
    const id = session(headers["mcp-session-id"]);
    expect((await post(url, LIST, id)).status).toBe(200);
    expect((await post(url, LIST)).status).toBe(400);
    expect((await post(url, LIST, session("another"))).status).toBe(404);
    expect((await fetch(url, { method: "DELETE", headers: id })).status).toBe(200);
    expect((await post(url, LIST, id)).status).toBe(404);
  });

  it("belong to whom has begun them", async () => {
    const { url } = await startHttp({ sessions: true, verifier: "owner" });
    const { headers } = await post(url, INITIALIZE, { authorization: "Bearer ann" });
    const id = session(headers["mcp-session-id"]);
    expect((await post(url, LIST, { ...id, authorization: "Bearer ann" })).status).toBe(200);
    expect((await post(url, LIST, { ...id, authorization: "Bearer bob" })).status).toBe(404);
  });

  it("are not more than their limit, and end when nobody uses them", async () => {
    const { url } = await startHttp({ sessions: { max: 1 } });
    const { headers } = await post(url, INITIALIZE);
    expect((await post(url, INITIALIZE)).status).toBe(503);
    await fetch(url, { method: "DELETE", headers: session(headers["mcp-session-id"]) });
    expect((await post(url, INITIALIZE)).status).toBe(200);

    const brief = await startHttp({ sessions: { idleTimeout: "1ms" } });
    const opened = await post(brief.url, INITIALIZE);
    const id = session(opened.headers["mcp-session-id"]);
    await until(async () => (await post(brief.url, LIST, id)).status === 404);
  });

  it("are not there unless they are asked for", async () => {
    const { url } = await startHttp();
    const { status, headers } = await post(url, INITIALIZE);
    expect([status, headers["mcp-session-id"]]).toEqual([200, undefined]);
    expect((await fetch(url, { headers: { accept: "text/event-stream" } })).status).toBe(405);
  });
});
