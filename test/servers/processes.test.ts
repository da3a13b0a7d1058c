/** Workers in processes of their own: one that stalls, one that is stopped, wrong clocks. */
import { expect, it } from "vitest";
import { defineWorkflow } from "../../src/index.ts";
import { launch } from "../processes/worker.ts";
import { startApp, testDatabase } from "../support/apps.ts";

const job = defineWorkflow("job", (): string => "");
const nap = defineWorkflow("nap", (): string => "");

async function contents(): Promise<unknown[]> {
  return [
    await testDatabase().rows("select * from romancy_instances order by id"),
    await testDatabase().rows("select * from romancy_history order by instance_id, seq"),
  ];
}

const SHORT = { leaseDuration: "1s", staleWorkerCheckInterval: "100ms" } as const;

it("keeps out a worker whose event loop was blocked for longer than its lease", { timeout: 60_000 }, async () => {
  const client = await startApp({ worker: false });
  const stalled = await launch("stalled", { stall: 6_000 }, SHORT).started();
  const handle = await job.start(client);
  await stalled.line(`holding ${handle.id}`);
  await launch("other", {}, SHORT).started();
  expect(await handle.result()).toBe("other");
  const before = await contents();
  // It wakes up, and learns that it was taken for dead.
  await stalled.line("log This worker may have been taken for dead");
  const [row] = await testDatabase().rows("select count(*) as n from romancy_workers");
  expect(Number(row?.["n"])).toBeGreaterThan(0);
  expect(await contents()).toEqual(before);
});

it("takes over from a worker that was stopped, which can go on afterwards", { timeout: 60_000 }, async () => {
  const client = await startApp({ worker: false });
  const stopped = await launch("stopped", { hangs: true }, SHORT).started();
  const handle = await job.start(client);
  await stopped.line(`holding ${handle.id}`);
  stopped.process.kill("SIGSTOP");
  const other = await launch("other", {}, SHORT).started();
  expect(await handle.result()).toBe("other");
  await other.shutdown();
  stopped.process.kill("SIGCONT");
  await stopped.line("log This worker may have been taken for dead");
  const next = await nap.start(client);
  expect(await next.result()).toBe("awake");
});

it.each([3_600_000, -3_600_000])("goes by the database's clock, not by one that is %i ms wrong", async (skew) => {
  const client = await startApp({ worker: false });
  await launch("wrong", { skew }).started();
  const before = Date.now();
  const handle = await nap.start(client);
  expect(await handle.result()).toBe("awake");
  const after = Date.now();
  const history = await client.getHistory(handle.id);
  expect(history.map(({ kind }) => kind)).toEqual(["timer_started", "timer_fired"]);
  for (const { at } of history) {
    expect(at.getTime()).toBeGreaterThan(before - 1_000);
    expect(at.getTime()).toBeLessThan(after + 1_000);
  }
  const [worker] = await testDatabase().rows("select expires_at from romancy_workers");
  expect(Math.abs(Number(worker?.["expires_at"]) - after)).toBeLessThan(60_000);
});
