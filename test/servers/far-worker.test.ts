/** A worker on another host, of whose process nobody knows: only the lock tells whether it lives. */
import { expect, it } from "vitest";
import { defineWorkflow } from "../../src/index.ts";
import { launch } from "../processes/worker.ts";
import { startApp, testDatabase } from "../support/apps.ts";
import { until } from "../support/wait.ts";

const job = defineWorkflow("job", (): string => "");

const HOUR = 3_600_000;

async function workers(): Promise<unknown[]> {
  return (await testDatabase().rows("select id from romancy_workers order by id")).map(({ id }) => id);
}

it("is left alone while it lives, and followed as soon as it is killed", { timeout: 60_000 }, async () => {
  const client = await startApp({ worker: false });
  const options = { leaseDuration: "1h", staleWorkerCheckInterval: "1h" } as const;
  const far = await launch("far", { hangs: true }, options).started();
  await testDatabase().exec("update romancy_workers set host = 'elsewhere', pid = 1");
  const handle = await job.start(client);
  await far.line(`holding ${handle.id}`);
  const near = await launch("near", {}, { ...options, staleWorkerCheckInterval: "50ms" }).started();
  // One that is dead beside it shows when locks are judged.
  await testDatabase().exec(
    `insert into romancy_workers (id, incarnation, host, pid, born, lock_name, started_at, expires_at)
     values ('ghost', 'ghost', 'elsewhere', 2, '1', 'nobody-holds-this', 0, ?)`,
    [Date.now() + HOUR],
  );
  await near.line("log Taking over from dead workers");
  await until(async () => !(await workers()).includes("ghost"));
  expect(await workers()).toEqual(["far", "near"]);
  expect(await handle.status()).toBe("running");
  await far.kill();
  expect(await handle.result()).toBe("near");
  expect(await workers()).toEqual(["near"]);
  const [{ n } = { n: 0 }] = await testDatabase().rows("select count(*) as n from romancy_history");
  expect(n).toBe(1);
});
