/** Cancelling over HTTP. */
import { expect, it } from "vitest";
import { defineWorkflow } from "../../src/index.ts";
import { startApp } from "../support/apps.ts";
import { answerTo } from "../support/http.ts";
import { until } from "../support/wait.ts";

const waits = defineWorkflow("waits", (ctx) => ctx.waitEvent("never"));
const quick = defineWorkflow("quick", () => "done");

function post(path: string, body?: string, method = "POST"): Request {
  const init = body === undefined ? {} : { body, headers: { "content-type": "application/json" } };
  return new Request(`http://localhost${path}`, { method, ...init });
}

it("cancels, with a reason or without one, once or twice", async () => {
  const app = await startApp({ workflows: [waits] });
  for (const [id, body, reason] of [
    ["a/é", JSON.stringify({ reason: "enough" }), "enough"],
    ["b", undefined, undefined],
    ["c", "{}", undefined],
  ] as const) {
    const handle = await waits.with({ id }).start(app);
    await until(async () => (await handle.status()) === "waiting");
    const path = `/mounted/cancel/${encodeURIComponent(id)}`;
    const answer = { status: 200, body: { status: "cancelled", instance_id: id } };
    expect(await answerTo(app.fetch(post(path, body)))).toEqual(answer);
    await expect(handle.result()).rejects.toMatchObject({ cause: { name: "CancelledError", reason } });
    expect(await answerTo(app.fetch(post(path, body)))).toEqual(answer);
  }
});

it("says why it cannot", async () => {
  const app = await startApp({ workflows: [quick] });
  const handle = await quick.start(app);
  await handle.result();
  const refused = (path: string, body?: string, method?: string): Promise<unknown> =>
    answerTo(app.fetch(post(path, body, method)));
  expect(await refused(`/cancel/${handle.id}`)).toMatchObject({
    status: 409,
    body: { error_type: "InstanceNotCancellableError", retryable: false },
  });
  expect(await refused("/cancel/nobody")).toMatchObject({
    status: 404,
    body: { error_type: "InstanceNotFoundError", retryable: false },
  });
  for (const [path, body] of [
    ["/cancel/"],
    ["/cancel"],
    ["/cancel/%zz"],
    [`/cancel/${handle.id}`, "{"],
    [`/cancel/${handle.id}`, "[]"],
    [`/cancel/${handle.id}`, '{"reason":7}'],
    [`/cancel/${handle.id}`, '{"why":"x"}'],
    [`/cancel/${"x".repeat(300)}`],
  ] as const) {
    expect(await refused(path, body)).toMatchObject({ status: 400, body: { retryable: false } });
  }
  expect(await refused("/cancel/x", undefined, "GET")).toMatchObject({ status: 405 });
});

it("asks who may come in", async () => {
  const app = await startApp({ workflows: [waits], http: { authorize: () => false } });
  const handle = await waits.start(app);
  expect((await app.fetch(post(`/cancel/${handle.id}`))).status).toBe(403);
  expect((await handle.describe()).cancelRequestedAt).toBeUndefined();
});
