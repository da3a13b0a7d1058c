/** The files of "Getting started" do what the page says, as they stand there. */
import { type ChildProcessByStdio, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Romancy } from "../../src/index.ts";
import { until } from "../support/wait.ts";
import { modulesOf, pages } from "./pages.ts";

// Each starts processes, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const root = fileURLToPath(new URL("../../", import.meta.url));
const romancy = join(root, "src/cli/main.ts");
const FLAGS = ["--disable-warning=ExperimentalWarning", "--conditions=romancy-source"];

let folder: string;
/** What it writes is read; what it complains of is shown. */
type Program = ChildProcessByStdio<null, Readable, null>;

const running = new Set<Program>();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "romancy-getting-started-"));
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(root, join(folder, "node_modules/romancy"));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  const page = pages(root).find(({ name }) => name === "docs/getting-started");
  const files = page === undefined ? undefined : modulesOf(page);
  for (const [name, code] of files ?? []) writeFileSync(join(folder, name), code);
});

afterEach(async () => {
  for (const child of running) {
    child.kill("SIGKILL");
    await once(child, "close");
  }
  rmSync(folder, { recursive: true });
});

const env = { ...process.env, ROMANCY_DATABASE_URL: "shop.db" };

function launch(...args: readonly string[]): Program {
  const child = spawn(process.execPath, [...FLAGS, ...args], {
    cwd: folder,
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  running.add(child);
  child.once("close", () => running.delete(child));
  return child;
}

function run(...args: readonly string[]): string {
  return execFileSync(process.execPath, [...FLAGS, ...args], { cwd: folder, env, encoding: "utf8" });
}

async function client(): Promise<Romancy> {
  const app = new Romancy({ database: join(folder, "shop.db"), worker: false });
  await app.start();
  return app;
}

async function hasBegun(app: Romancy, id: string, operationId: string): Promise<void> {
  await until(async () => {
    const { instances } = await app.listInstances({ idPrefix: id });
    if (instances.length === 0) return false;
    return (await app.getHistory(id)).some((entry) => "operationId" in entry && entry.operationId === operationId);
  });
}

it("survives kill -9, and does not reserve twice", async () => {
  await using app = await client();
  const first = launch("main.ts");
  const printed = text(first.stdout);
  await hasBegun(app, "ORD-1", "sleep:1");
  first.kill("SIGKILL");
  expect(await printed).toBe("reserving for ORD-1\n");

  const result = "{ reservation: 'RES-ORD-1', payment: 'PAY-ORD-1' }\n";
  expect(run("main.ts").endsWith(`charging 99.99 for ORD-1, attempt 1\n${result}`)).toBe(true);
  expect(run("main.ts")).toBe(result);
});

it("pays refunds that are approved from a terminal and by a program", async () => {
  await using app = await client();
  const worker = launch("worker.ts");
  const printed = text(worker.stdout);
  for (const n of [1, 2]) {
    run(romancy, "start", "refund", "--module", "refund.ts", "--input", `["ORD-${n}", 20]`, "--id", `REFUND-${n}`);
    await hasBegun(app, `REFUND-${n}`, "wait_event:1");
  }
  run(romancy, "event", "refund.approved", "--subject", "ORD-1", "--data", '{"by":"Ada"}');
  run("approve.ts");
  await until(async () => (await app.listInstances({ status: "completed" })).instances.length === 2);
  expect((await app.getInstance("REFUND-1")).output).toBe("approved by Ada");
  expect((await app.getInstance("REFUND-2")).output).toBe("approved by Grace");

  worker.kill("SIGTERM");
  expect(await printed).toBe("working\npaying 20 back for ORD-1\npaying 20 back for ORD-2\n");
});

it("passes its tests", () => {
  const output = run("--test-reporter=tap", "refund.test.ts");
  expect(output).toContain("# pass 2\n");
  expect(output).toContain("# fail 0\n");
});
