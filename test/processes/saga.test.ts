/** kill -9 before and after each commit of an instance that undoes what it has done; another process goes on. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { HistoryEntry, Romancy } from "../../src/index.ts";
import { dice, seed } from "../crash/random.ts";
import { startApp, testDatabase } from "../support/apps.ts";
import { dialectName, placeholders } from "../support/database.ts";
import { effort } from "../support/effort.ts";
import { failureOf } from "../support/trail.ts";
import { sagasOf } from "./fixtures/sagas.ts";

vi.setConfig({ testTimeout: 180_000 });

const program = fileURLToPath(new URL("fixtures/saga-worker.ts", import.meta.url));
const INSERT = placeholders("insert into ledger (instance_id, entry) values (?, ?)");

const roll = dice(seed);

/** From one point to the next that is tried: one run tries some of them. On servers each statement has two. */
const stride = (): number => (effort > 1 ? 1 : roll(dialectName === "sqlite" ? 3 : 7));

let folder = "";
let log = "";

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "romancy-saga-"));
  log = join(folder, "done.log");
  writeFileSync(log, "");
  // Without a constraint: what is written twice is to be seen twice.
  await testDatabase().exec("create table ledger (instance_id varchar(100), entry varchar(100))");
});

afterEach(() => rmSync(folder, { recursive: true }));

/** Runs the instance in a process of its own; whether that came to the point at which it dies. */
async function diesAt(point: number, workflow: string, id: string): Promise<boolean> {
  const args = [testDatabase().url, log, INSERT, workflow, id, String(point)];
  const child = fork(program, args, { execArgv: ["--disable-warning=ExperimentalWarning"] });
  const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
  expect([code, signal], `${id} at point ${point}`).toEqual(signal === null ? [0, null] : [null, "SIGKILL"]);
  return signal !== null;
}

/** What was done for the instance, in order, by all processes. */
function trailOf(id: string): string[] {
  const lines = readFileSync(log, "utf8").split("\n");
  return lines.filter((line) => line.startsWith(`${id} `)).map((line) => line.slice(id.length + 1));
}

async function second(): Promise<{ app: Romancy; sagas: ReturnType<typeof sagasOf> }> {
  const sagas = sagasOf((ctx, what) => appendFileSync(log, `${ctx.instanceId} ${what}\n`), INSERT);
  return { app: await startApp({ workflows: Object.values(sagas) }), sagas };
}

/** What can be undone of what a history says was done, in that order. */
function undoable(history: readonly HistoryEntry[]): string[] {
  return history.flatMap((entry) => {
    const { kind, operationId } = entry;
    const isDone = kind === "activity_completed" && !operationId.startsWith("tidy");
    return isDone || kind === "compensation_added" ? [operationId] : [];
  });
}

/** Everything that is recorded was undone in its order, what is transactional once, and nothing was done after that. */
async function expectUndone(app: Romancy, id: string): Promise<string[]> {
  const history = await app.getHistory(id);
  const done = undoable(history);
  const start = history.findIndex(({ kind }) => kind === "rollback_started");
  const undone = history.slice(start + 1).map(({ kind, operationId }) => `${kind} ${operationId}`);
  const expected = done.toReversed().map((operation) => `compensation_completed ${operation}/compensation:1`);
  expect(undone, id).toEqual(expected);
  const trail = trailOf(id).filter((line) => line !== "cancel resolved");
  const begun = trail.findIndex((line) => line.startsWith("undo"));
  const after = trail.slice(begun);
  expect(
    after.filter((line) => line.startsWith("do ")),
    id,
  ).toEqual([]);
  // Some of them twice, but never one after another one has begun.
  expect(
    after.filter((line, index) => line !== after[index - 1]),
    id,
  ).toHaveLength(done.length);
  const rows = await testDatabase().rows("select entry from ledger where instance_id = ? order by entry", [id]);
  expect(
    rows.map(({ entry }) => entry),
    id,
  ).toEqual(["charged", "refunded"]);
  return done;
}

it(`undoes what a failed instance has done, wherever its process was killed (CRASH_SEED=${seed})`, async () => {
  let point = 1;
  for (let died = true; died; point += stride()) {
    const id = `failing-${point}`;
    died = await diesAt(point, "failing", id);
    const { app, sagas } = await second();
    const handle = await sagas.failing.with({ id }).start(app);
    const error = await failureOf(handle.result());
    expect(error, id).toMatchObject({ compensationErrors: [], cause: { cause: { message: "The truck is broken" } } });
    expect(await handle.status(), id).toBe("failed");
    const done = await expectUndone(app, id);
    expect(done.toSorted(), id).toEqual(["charge:1", "release:1", "reserve:1", "reserve:2", "reserve:3"]);
    await app.shutdown();
  }
  // The start, five activities and five compensations are each a commit, and each has two sides.
  expect(point).toBeGreaterThan(20);
});

it(`starts each child once, and undoes it with its parent, wherever they were killed (CRASH_SEED=${seed})`, async () => {
  let point = 1;
  for (let died = true; died; point += stride()) {
    const id = `family-${point}`;
    died = await diesAt(point, "family", id);
    const { app, sagas } = await second();
    const error = await failureOf((await sagas.family.with({ id }).start(app)).result());
    expect(error, id).toMatchObject({ compensationErrors: [], cause: { message: "The truck is broken" } });
    const { instances } = await app.listInstances({ workflow: "part" });
    const children = instances.filter(({ parentId }) => parentId === id);
    expect(
      children.map(({ status }) => status),
      id,
    ).toEqual(["cancelled", "cancelled"]);
    for (const instance of [id, ...children.map((child) => child.id)]) {
      const kinds = (await app.getHistory(instance)).map(({ kind }) => kind);
      const count = (kind: string): number => kinds.filter((one) => one === kind).length;
      expect(count("compensation_completed"), `${instance} of ${id}`).toBe(count("activity_completed"));
    }
    // What was done first is undone last.
    const undone = trailOf(id).filter((line) => line.startsWith("undo"));
    expect(undone.at(-1), id).toBe("undo a (A)");
    await app.shutdown();
  }
  expect(point).toBeGreaterThan(20);
});

it(`ends a cancelled instance as cancelled, wherever its process was killed (CRASH_SEED=${seed})`, async () => {
  let point = 1;
  let lost = 0;
  for (let died = true; died; point += stride()) {
    const id = `cancelled-${point}`;
    died = await diesAt(point, "cancelled", id);
    const { app, sagas } = await second();
    const handle = app.handle(sagas.cancelled, id);
    const { cancelRequestedAt } = await handle.describe();
    if (cancelRequestedAt === undefined) lost++;
    if (trailOf(id).includes("cancel resolved")) expect(cancelRequestedAt, id).toBeDefined();
    await handle.cancel("once more");
    const reason = cancelRequestedAt === undefined ? "once more" : "enough";
    const error = await failureOf(handle.result());
    expect(error, id).toMatchObject({ compensationErrors: [], cause: { name: "CancelledError", reason } });
    expect(await handle.status(), id).toBe("cancelled");
    const done = await expectUndone(app, id);
    // One that was cut off between the cancel and its record is not known of.
    const known = done.filter((operation) => operation !== "linger:1").toSorted();
    expect(known, id).toEqual(["charge:1", "reserve:1"]);
    expect(trailOf(id), id).toContain("do tidy");
    await app.shutdown();
  }
  expect(lost, "killed before the request was durable").toBeGreaterThan(0);
  expect(point).toBeGreaterThan(10);
});
