/** The SDK's own clients, on servers in processes of their own. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { type CallToolResult, Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { afterEach } from "vitest";
import { testDatabase } from "../../support/apps.ts";

const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

/** The handshake of 2025, which clients have today, or that of 2026-07-28. */
export type Era = "legacy" | "modern";

export function newClient(era: Era): Client {
  const mode = era === "legacy" ? "legacy" : { pin: "2026-07-28" };
  return new Client({ name: "test", version: "0.0.0" }, { versionNegotiation: { mode } });
}

const FLAGS = ["--disable-warning=ExperimentalWarning"];

function fixture(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

export interface Connection {
  readonly client: Client;
  /** With SIGKILL; resolves when the server is gone. */
  readonly kill: () => Promise<unknown>;
}

/** A client that starts its server. */
export async function connectStdio(era: Era): Promise<Connection> {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [...FLAGS, fixture("stdio-server.ts")],
    env: environment(),
    stderr: "inherit",
  });
  const client = newClient(era);
  await client.connect(transport);
  closers.push(() => client.close());
  const gone = new Promise<void>((resolve) => Object.assign(client, { onclose: resolve }));
  const kill = (): Promise<void> => {
    process.kill(Number(transport.pid), "SIGKILL");
    return gone;
  };
  return { client, kill };
}

/** The same server without a client. */
export function startStdio(): { child: ChildProcessByStdio<Writable, null, null> } {
  const args = [...FLAGS, fixture("stdio-server.ts")];
  return { child: spawn(process.execPath, args, { env: environment(), stdio: ["pipe", "ignore", "inherit"] }) };
}

function environment(): Record<string, string> {
  return { ...(process.env as Record<string, string>), DATABASE: testDatabase().url };
}

/** A server on a port. */
export async function startHttp(options: object = {}): Promise<{ url: string } & Pick<Connection, "kill">> {
  const child = spawn(process.execPath, [...FLAGS, fixture("http-server.ts")], {
    env: { ...environment(), HTTP: JSON.stringify(options) },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  closers.push(async () => {
    child.stdin.end();
    await exited;
  });
  const [url] = (await once(createInterface(child.stdout), "line")) as [string];
  const kill = (): Promise<unknown> => {
    child.kill("SIGKILL");
    return exited;
  };
  return { url, kill };
}

export async function connectHttp(url: string, era: Era, token?: string): Promise<Client> {
  const client = newClient(era);
  const requestInit = token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit }));
  closers.push(() => client.close());
  return client;
}

/** What a tool answers: whether it is a failure, its text, and what it says to programs. */
export async function call(client: Client, name: string, given: object): Promise<Answer> {
  const { isError = false, content, structuredContent } = await client.callTool({ name, arguments: { ...given } });
  return { isError, text: textOf(content), data: structuredContent };
}

export interface Answer {
  readonly isError: boolean;
  readonly text: string;
  readonly data: unknown;
}

function textOf(content: CallToolResult["content"]): string {
  return content.map((block) => (block.type === "text" ? block.text : "")).join("\n");
}
