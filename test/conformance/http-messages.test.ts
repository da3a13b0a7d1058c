/** Messages of channels over HTTP. */
import { expect, it } from "vitest";
import { defineWorkflow, type ReceivedMessage } from "../../src/index.ts";
import { startApp, testDatabase } from "../support/apps.ts";
import { answerTo } from "../support/http.ts";
import { until } from "../support/wait.ts";

const listener = defineWorkflow("listener", async (ctx, mode: "broadcast" | "direct") => {
  await ctx.subscribe("the news/é", mode);
  return ctx.receive("the news/é");
});

const PUBLISH = `/mounted/publish/${encodeURIComponent("the news/é")}`;

function post(path: string, body: unknown, type = "application/json"): Request {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return new Request(`http://localhost${path}`, { method: "POST", headers: { "content-type": type }, body: text });
}

const received: Partial<ReceivedMessage<unknown>> = {
  id: "m-1",
  channel: "the news/é",
  data: { n: 1 },
  metadata: { urgent: true },
  senderInstanceId: undefined,
};

it("publishes, and says so when it is durable", async () => {
  const app = await startApp({ workflows: [listener] });
  const handle = await listener.start(app, "broadcast");
  await until(async () => (await handle.status()) === "waiting");
  const answer = await answerTo(app.fetch(post(PUBLISH, { data: { n: 1 }, metadata: { urgent: true }, id: "m-1" })));
  expect(answer).toEqual({ status: 202, body: { status: "accepted", id: "m-1" } });
  expect(await handle.result()).toMatchObject(received);
});

it("sends to one instance", async () => {
  const app = await startApp({ workflows: [listener] });
  const handle = await listener.start(app, "direct");
  const path = `/send/${handle.id}/${encodeURIComponent("the news/é")}`;
  const message = { data: { n: 1 }, metadata: { urgent: true }, id: "m-1" };
  expect((await app.fetch(post(path, message))).status).toBe(202);
  expect(await handle.result()).toMatchObject(received);
  expect(await answerTo(app.fetch(post(path, message)))).toMatchObject({
    status: 409,
    body: { error_type: "InstanceFinishedError", retryable: false },
  });
  expect((await app.fetch(post("/send/nobody/news", message))).status).toBe(404);
});

it.each([
  ["no JSON", PUBLISH, "{", "application/json", 400],
  ["no object", PUBLISH, [1], "application/json", 400],
  ["no data", PUBLISH, { metadata: {} }, "application/json", 400],
  ["something else beside", PUBLISH, { data: 1, date: 2 }, "application/json", 400],
  ["metadata that are none", PUBLISH, { data: 1, metadata: 7 }, "application/json", 400],
  ["an id that is none", PUBLISH, { data: 1, id: 7 }, "application/json", 400],
  ["another content type", PUBLISH, { data: 1 }, "text/plain", 415],
  ["a path that is badly encoded", "/publish/%zz", { data: 1 }, "application/json", 400],
])("refuses %s", async (_, path, body, type, status) => {
  const app = await startApp({ workflows: [] });
  const answer = await answerTo(app.fetch(post(path, body, type)));
  expect(answer).toMatchObject({ status, body: { retryable: false } });
  const [row] = await testDatabase().rows("select count(*) as n from romancy_channel_messages");
  expect(Number(row?.["n"])).toBe(0);
});
