/** An instance that ends every process that runs it. */
import { once } from "node:events";
import { expect, it } from "vitest";
import { defineWorkflow, QuarantineError } from "../../src/index.ts";
import { startApp } from "../support/apps.ts";
import { until } from "../support/wait.ts";
import { launch } from "./worker.ts";

const nap = defineWorkflow("nap", (): string => "");
const poison = defineWorkflow("poison", () => {});
const innocent = defineWorkflow("innocent", () => {});

it("blocks an instance that kills its workers, and finishes all others", { timeout: 60_000 }, async () => {
  const client = await startApp({ worker: false });
  const bad = await poison.start(client);
  const others = await Promise.all(Array.from({ length: 10 }, () => innocent.start(client)));
  let deaths = 0;
  let last: ReturnType<typeof launch> | undefined;
  while ((await bad.status()) !== "blocked") {
    const worker = launch(`worker-${deaths}`, {}, { maxRecoveries: 4, staleWorkerCheckInterval: "100ms" });
    last = worker;
    await Promise.race([once(worker.process, "exit"), until(async () => (await bad.status()) === "blocked")]);
    if (worker.process.signalCode === "SIGKILL") deaths++;
  }
  expect(deaths).toBe(4);
  expect(await last?.line("blocked")).toBe(`blocked poison ${bad.id} QUARANTINED`);
  expect((await bad.describe()).error).toMatchObject({ code: new QuarantineError(4).code });
  await Promise.all(others.map((handle) => handle.result()));
  // A worker that starts afresh tries blocked instances again, but not this one.
  await launch("fresh", {}, { maxRecoveries: 4 }).started();
  await (await nap.start(client)).result();
  expect(await bad.status()).toBe("blocked");
});
