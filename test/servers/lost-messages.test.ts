/** Connections that break while messages are sent, before the server has heard or before it was heard. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { defineActivity, defineWorkflow, type Romancy, retryPolicies } from "../../src/index.ts";
import { startApp, testDatabase } from "../support/apps.ts";
import { placeholders } from "../support/database.ts";
import { until } from "../support/wait.ts";
import { type CuttingProxy, cuttingProxy } from "./cutting-proxy.ts";

const INSERT = placeholders("insert into letters (text) values (?)");

let proxy: CuttingProxy;

beforeEach(async () => {
  proxy = await cuttingProxy(testDatabase().url);
  await testDatabase().exec("create table letters (text varchar(100))");
});

afterEach(() => proxy.close());

const MODES = ["broadcast", "competing", "direct"] as const;
type Mode = (typeof MODES)[number];

const listener = defineWorkflow("listener", async (ctx, mode: Mode): Promise<string[]> => {
  await ctx.subscribe(mode, mode);
  const got: string[] = [];
  for (;;) {
    const { data } = await ctx.receive<string>(mode);
    if (data === "end") return got;
    got.push(data);
  }
});

/** A listener's id is its mode. */
interface Sender {
  publish(channel: string, data: unknown): Promise<unknown>;
  sendTo(id: string, channel: string, data: unknown): Promise<unknown>;
}

async function sendAll(sender: Sender, text: string): Promise<void> {
  await sender.publish("broadcast", text);
  await sender.publish("competing", text);
  await sender.sendTo("direct", "direct", text);
}

const retry = { retry: retryPolicies.fixed(30, 1) };
const plain = defineActivity("plain", (ctx, text: string) => sendAll(ctx, text), retry);
const withRows = defineActivity(
  "with_rows",
  async (ctx, text: string) => {
    await ctx.session.query(INSERT, [text]);
    await sendAll(ctx, text);
  },
  retry,
);
const itself = defineWorkflow("itself", (ctx, text: string) => sendAll(ctx, text));
const byActivity = defineWorkflow("by_activity", (ctx, text: string) => plain(ctx, text));
const bySession = defineWorkflow("by_session", (ctx, text: string) => withRows(ctx, text));

const ways: Readonly<Record<string, (app: Romancy, text: string) => Promise<void>>> = {
  "an app": (app, text) => sendAll(app, text),
  "a workflow": async (app, text) => (await itself.start(app, text)).result(),
  "an activity": async (app, text) => (await byActivity.start(app, text)).result(),
  "an activity with a session": async (app, text) => (await bySession.start(app, text)).result(),
};

it.each(Object.keys(ways))("messages of %s are delivered once", { timeout: 90_000 }, async (way) => {
  const receiving = await startApp({ workflows: [listener] });
  const handles = await Promise.all(MODES.map((mode) => listener.with({ id: mode }).start(receiving, mode)));
  await until(async () => (await Promise.all(handles.map((h) => h.status()))).every((status) => status === "waiting"));
  const app = await startApp({ database: proxy.url, workflows: [itself, byActivity, bySession] });
  const sent: string[] = [];
  for (const where of ["request", "answer"] as const) {
    let wasCut = true;
    for (let n = 1; wasCut; n++) {
      const text = `${where} ${n}`;
      proxy.arm(n, where);
      await ways[way]?.(app, text);
      wasCut = proxy.disarm();
      sent.push(text);
    }
  }
  // Each way takes some messages to the server, and so there were as many cuts.
  expect(sent.length).toBeGreaterThan(8);
  await sendAll(receiving, "end");
  for (const handle of handles) expect(await handle.result(), handle.id).toEqual(sent);
  const rows = await testDatabase().rows("select text from letters");
  expect(rows.map(({ text }) => String(text)).toSorted()).toEqual(
    way === "an activity with a session" ? sent.toSorted() : [],
  );
});
