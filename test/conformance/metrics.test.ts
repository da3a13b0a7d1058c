import { expect, it } from "vitest";
import { defineActivity, defineWorkflow, type Romancy } from "../../src/index.ts";
import { startApp } from "../support/apps.ts";
import { until } from "../support/wait.ts";

const flaky = defineActivity(
  "flaky",
  (ctx) => {
    if (ctx.attempt === 1) throw new Error("once more");
  },
  { retry: { initialInterval: 1 } },
);
const flow = defineWorkflow("flow", async (ctx, fails: boolean) => {
  await flaky(ctx);
  if (fails) throw new Error("no");
});

async function figures(app: Romancy): Promise<ReadonlyMap<string, number>> {
  const response = await app.fetch(new Request("http://localhost/metrics"));
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  const samples = (await response.text()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    samples.map((line) => {
      const space = line.lastIndexOf(" ");
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
}

it("tells Prometheus what has been run, and how it came out", async () => {
  const app = await startApp({ workflows: [flow] });
  const handles = [await flow.start(app, false), await flow.start(app, false), await flow.start(app, true)];
  await Promise.allSettled(handles.map((handle) => handle.result()));
  await until(async () => (await figures(app)).get("romancy_instances_active") === 0);
  const has = await figures(app);
  expect(has.get('romancy_workflows_started_total{workflow="flow"}')).toBe(3);
  expect(has.get('romancy_workflows_ended_total{workflow="flow",status="completed"}')).toBe(2);
  expect(has.get('romancy_workflows_ended_total{workflow="flow",status="failed"}')).toBe(1);
  expect(has.get('romancy_activity_attempts_total{activity="flaky",outcome="retried"}')).toBe(3);
  expect(has.get('romancy_activity_attempts_total{activity="flaky",outcome="completed"}')).toBe(3);
  expect(has.get('romancy_queue_delay_seconds_count{workflow="flow"}')).toBe(3);
  expect(has.get("romancy_commit_duration_seconds_count")).toBeGreaterThan(0);
});

it("gives figures to whom `authorize` lets in, and none where none are kept", async () => {
  const closed = await startApp({ workflows: [flow], http: { authorize: () => false } });
  expect((await closed.fetch(new Request("http://localhost/metrics"))).status).toBe(403);
  const without = await startApp({ workflows: [flow], metrics: false });
  expect((await without.fetch(new Request("http://localhost/app/metrics"))).status).toBe(404);
  expect((await without.fetch(new Request("http://localhost/metrics", { method: "POST" }))).status).toBe(405);
});
