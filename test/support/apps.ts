/** Apps for tests: each on a database of its own, shut down after the test, and checked to leave nothing open. */
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect } from "vitest";
import { type Logger, Romancy, type RomancyOptions } from "../../src/index.ts";

let folder = "";
let apps: Romancy[] = [];
let timersBefore = 0;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "romancy-test-"));
  apps = [];
  timersBefore = openTimers();
});

afterEach(async () => {
  for (const app of apps) await app.shutdown();
  // What is left was not closed by `shutdown`.
  expect(openFiles(folder), "database files left open").toEqual([]);
  // The test runner has timers of its own that come and go; one that was left running never goes.
  for (let turn = 0; openTimers() > timersBefore && turn < 500; turn++) await nextTurn();
  expect(openTimers(), "timers left running").toBeLessThanOrEqual(timersBefore);
  rmSync(folder, { recursive: true });
});

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 2));
}

function openTimers(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource === "Timeout").length;
}

function openFiles(below: string): string[] {
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      return target.startsWith(below) ? [target] : [];
    } catch {
      return [];
    }
  });
}

/** The path of a database file that is removed after the test. */
export function databaseFile(name = "test.db"): string {
  return join(folder, name);
}

/** An app that is not started, on the test's database unless told otherwise. Quiet unless a logger is given. */
export function createApp(options: Partial<RomancyOptions> = {}): Romancy {
  const app = new Romancy({ database: databaseFile(), logger: silent, ...options });
  apps.push(app);
  return app;
}

/** The same, started. */
export async function startApp(options: Partial<RomancyOptions> = {}): Promise<Romancy> {
  const app = createApp(options);
  await app.start();
  return app;
}

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** A logger that keeps what it was told. */
export function recordingLogger(): Logger & { readonly lines: { level: string; message: string; data: unknown }[] } {
  const lines: { level: string; message: string; data: unknown }[] = [];
  const write = (level: string) => (message: string, data?: unknown) => void lines.push({ level, message, data });
  return { lines, debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
}
