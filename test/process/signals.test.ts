import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { databaseFile, startApp } from "../support/apps.ts";

const fixture = fileURLToPath(new URL("fixtures/signals.ts", import.meta.url));

async function terminate(...args: string[]): Promise<{ code: number | null; signal: string | null }> {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", fixture, databaseFile(), ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  child.kill("SIGTERM");
  const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
  return { code, signal };
}

it("shuts down in order at a signal that it was asked to mind: the running activity is recorded", async () => {
  expect(await terminate("SIGTERM")).toEqual({ code: 0, signal: null });
  const app = await startApp({ worker: false });
  expect(await app.getHistory("one")).toMatchObject([{ kind: "activity_completed", result: "worked" }]);
});

it("leaves signals alone unless asked", async () => {
  expect(await terminate()).toEqual({ code: null, signal: "SIGTERM" });
  const app = await startApp({ worker: false });
  expect(await app.getHistory("one")).toEqual([]);
});
