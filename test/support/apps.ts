/** Apps for tests: each on a database of its own, shut down after the test, and checked to leave nothing open. */
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect } from "vitest";
import { type Logger, Romancy, type RomancyOptions } from "../../src/index.ts";
import { createDatabase, databaseKind, type Hold, type TestDatabase } from "./database.ts";
import { silent } from "./silent.ts";

/** The test's databases; the first is the one that its apps use unless told otherwise. */
const databases: TestDatabase[] = [];
let apps: Romancy[] = [];
const holds = new Set<Hold>();
let timersBefore = 0;

beforeEach(async () => {
  apps = [];
  timersBefore = openTimers();
  await anotherDatabase();
});

afterEach(async () => {
  try {
    for (const hold of holds) await hold.release();
    for (const app of apps) await app.shutdown();
    // What is left was not closed by `shutdown`.
    for (const database of databases) await expectClosed(database);
    // The test runner has timers of its own that come and go; one that was left running never goes.
    for (let turn = 0; openTimers() > timersBefore && turn < TURNS; turn++) await nextTurn();
    expect(openTimers(), "timers left running").toBeLessThanOrEqual(timersBefore);
  } finally {
    for (const database of databases.splice(0)) await database.drop();
  }
});

/** Looks until something that goes by itself must be gone. */
const TURNS = 500;

async function expectClosed(database: TestDatabase): Promise<void> {
  // A server sees a moment later that a connection was closed.
  const turns = databaseKind === "sqlite" ? 0 : TURNS;
  for (let turn = 0; turn < turns && (await database.open()).length > 0; turn++) await nextTurn();
  expect(await database.open(), "left open").toEqual([]);
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 2));
}

function openTimers(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource === "Timeout").length;
}

/** The test's own database. */
export function testDatabase(): TestDatabase {
  const [database] = databases;
  if (!database) throw new Error("Only a test has a database.");
  return database;
}

/** One more, removed after the test. */
export async function anotherDatabase(): Promise<TestDatabase> {
  const database = await createDatabase();
  databases.push(database);
  return database;
}

/** Keeps apps from writing to the test's database until it is released, or the test has ended. */
export async function holdDatabase(): Promise<Hold> {
  const hold = await testDatabase().hold();
  const once: Hold = {
    waitedFor: () => hold.waitedFor(),
    async release() {
      if (holds.delete(once)) await hold.release();
    },
  };
  holds.add(once);
  return once;
}

/** The path of a file beside the test's database, on SQLite; both are removed after the test. */
export function databaseFile(name = "test.db"): string {
  expect(databaseKind, "only SQLite has files").toBe("sqlite");
  return join(dirname(testDatabase().url), name);
}

/** An app that is not started, on the test's database unless told otherwise. Quiet unless a logger is given. */
export function createApp(options: Partial<RomancyOptions> = {}): Romancy {
  const app = new Romancy({ database: testDatabase().url, logger: silent, ...options });
  apps.push(app);
  return app;
}

/** The same, started. */
export async function startApp(options: Partial<RomancyOptions> = {}): Promise<Romancy> {
  const app = createApp(options);
  await app.start();
  return app;
}

/** A logger that keeps what it was told. */
export function recordingLogger(): Logger & { readonly lines: { level: string; message: string; data: unknown }[] } {
  const lines: { level: string; message: string; data: unknown }[] = [];
  const write = (level: string) => (message: string, data?: unknown) => void lines.push({ level, message, data });
  return { lines, debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
}
