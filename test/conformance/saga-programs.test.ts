/**
 * Random programs that fail or are cancelled, in processes that stop dead at random moments: what is left of what they
 * have done is the same as if nothing had happened to the process.
 */
import { beforeEach, expect, it, vi } from "vitest";
import { type HistoryEntry, InstanceNotCancellableError, type Romancy } from "../../src/index.ts";
import { dice, seed } from "../crash/random.ts";
import { startApp, testDatabase } from "../support/apps.ts";
import { databaseKind } from "../support/database.ts";
import { effort } from "../support/effort.ts";
import { type Program, randomProgram } from "./saga-programs/program.ts";
import { World } from "./saga-programs/world.ts";

vi.setConfig({ testTimeout: 120_000 * effort });

const PROGRAMS = (databaseKind === "sqlite" ? 30 : 25) * effort;

/** What is to happen at which moment of an instance, counted from 1. */
type Plan = ReadonlyMap<number, "crash" | "cancel">;

interface End {
  readonly id: string;
  readonly status: string;
  readonly output: unknown;
  /** What was done for each operation, less what was undone. */
  readonly left: Readonly<Record<string, number>>;
  readonly moments: number;
}

let world: World;
let client: Romancy;
let worker: Promise<Romancy>;
let onMoment: (instance: string) => void;

beforeEach(async () => {
  await testDatabase().exec(
    "create table ledger (instance_id varchar(100), operation varchar(100), entry varchar(10))",
  );
  onMoment = () => {};
  world = new World((instance) => onMoment(instance));
  client = await startApp({ worker: false });
  worker = startWorker();
});

function startWorker(): Promise<Romancy> {
  return startApp({ workflows: [world.workflow], shutdownTimeout: 0, maxParkedInstances: 0, maxRecoveries: 1_000 });
}

/** The worker stops where it stands: nothing that is under way is recorded. Another one takes its place. */
async function crash(app: Romancy): Promise<Romancy> {
  await app.shutdown();
  return startWorker();
}

/** Runs the program to its end, whatever happens meanwhile. */
async function run(id: string, program: Program, plan: Plan): Promise<End> {
  let moments = 0;
  let cancelled: Promise<boolean> | undefined;
  const reached = new Map<number, () => void>();
  for (const [moment, event] of plan) {
    const { promise, resolve } = Promise.withResolvers<void>();
    reached.set(moment, resolve);
    // Not where the moment is noticed: that is inside an activity, whose transaction it would be part of.
    void promise.then(() => {
      if (event === "crash") worker = worker.then(crash);
      else cancelled = wasCancelled(client.cancel(id, "at random"));
    });
  }
  onMoment = (instance) => {
    if (instance === id) reached.get(++moments)?.();
  };
  const shown = `${id} ${JSON.stringify([...plan])} ${JSON.stringify(program)}`;
  const handle = await world.workflow.with({ id }).start(client, program);
  const output: unknown = await handle.result().catch((error: Error) => error.name);
  await worker;
  const status = await handle.status();
  if (await cancelled) expect(status, shown).toBe("cancelled");
  else expect(["completed", "failed"], shown).toContain(status);
  const history = await client.getHistory(id);
  checkOrder(history, shown);
  const left = await leftOf(id);
  checkPlain(id, history, status !== "completed", left, shown);
  const isCalm = ![...plan.values()].includes("crash");
  if (isCalm && status !== "completed") checkKnown(id, shown);
  if (status === "cancelled") checkCancelled(id, history, left, shown);
  return { id, status, output, left, moments };
}

async function wasCancelled(cancelled: Promise<void>): Promise<boolean> {
  return cancelled.then(
    () => true,
    (error: unknown) => {
      expect(error).toBeInstanceOf(InstanceNotCancellableError);
      return false;
    },
  );
}

/** The rows that are left when what was undone is taken away; none was written twice. */
async function leftOf(id: string): Promise<Record<string, number>> {
  const rows = await testDatabase().rows("select operation, entry from ledger where instance_id = ?", [id]);
  const lines = rows.map(({ operation, entry }) => `${String(operation)} ${String(entry)}`);
  expect(lines.toSorted(), id).toEqual([...new Set(lines)].toSorted());
  const left: Record<string, number> = {};
  for (const { operation, entry } of rows) {
    const key = String(operation);
    left[key] = (left[key] ?? 0) + (entry === "do" ? 1 : -1);
  }
  return Object.fromEntries(Object.entries(left).filter(([, count]) => count !== 0));
}

/** Newest first, each once, and nothing of the code behind the beginning. */
function checkOrder(history: readonly HistoryEntry[], shown: string): void {
  const start = history.findIndex(({ kind }) => kind === "rollback_started");
  if (start < 0) return;
  const done = history.slice(0, start).flatMap(({ kind, operationId }) => {
    const canBeUndone = kind === "compensation_added" || (kind === "activity_completed" && undoable.has(operationId));
    return canBeUndone ? [`compensation_completed ${operationId}/compensation:1`] : [];
  });
  const undone = history.slice(start + 1).map(({ kind, operationId }) => `${kind} ${operationId}`);
  expect(undone, shown).toEqual(done.toReversed());
}

/** The operations of the program that is run that can be undone, and all that are no rows. */
let undoable: ReadonlySet<string> = new Set();
let plain: ReadonlySet<string> = new Set();

function actsOf(program: Program): Extract<Program[number], { do: "act" }>[] {
  return program.flatMap((step) => {
    if (step.do === "act") return [step];
    if (step.do === "tidy") return actsOf(step.body);
    return step.do === "settle" || step.do === "all" ? step.branches.flatMap(actsOf) : [];
  });
}

function look(program: Program): void {
  const acts = actsOf(program);
  undoable = new Set(acts.filter(({ canBeUndone }) => canBeUndone).map(({ id }) => id));
  plain = new Set(acts.filter(({ isTransactional }) => !isTransactional).map(({ id }) => id));
}

/** What is not transactional was done, and undone, at least once if that is recorded, and undone only then. */
function checkPlain(
  id: string,
  history: readonly HistoryEntry[],
  isUndone: boolean,
  left: Record<string, number>,
  shown: string,
): void {
  const recorded = new Set(history.flatMap((e) => (e.kind === "activity_completed" ? [e.operationId] : [])));
  for (const operation of plain) {
    const isRecorded = recorded.has(operation);
    const wasUndone = isRecorded && isUndone && undoable.has(operation);
    if (isRecorded) expect(world.countOf(id, operation, "do"), `${operation} of ${shown}`).toBeGreaterThan(0);
    expect(world.countOf(id, operation, "undo") > 0, `${operation} of ${shown}`).toBe(wasUndone);
    if (isRecorded && !wasUndone) left[operation] = 1;
  }
  const unknown = Object.keys(left).filter((operation) => operation.startsWith("act-") && !recorded.has(operation));
  expect(unknown, shown).toEqual([]);
}

/** In a process that lives on, nothing is done that is not known of, and undone if it can be. */
function checkKnown(id: string, shown: string): void {
  for (const operation of plain) {
    const isLeft = undoable.has(operation) && world.countOf(id, operation, "do") > 0;
    if (isLeft) expect(world.countOf(id, operation, "undo"), `${operation} of ${shown}`).toBe(1);
  }
}

/** Nothing is left that could be undone, and every block that was entered was tidied up. */
function checkCancelled(
  id: string,
  history: readonly HistoryEntry[],
  left: Readonly<Record<string, number>>,
  shown: string,
): void {
  for (const operation of undoable) expect(left[operation] ?? 0, `${operation} of ${shown}`).toBe(0);
  const recorded = new Set(history.map(({ operationId }) => operationId));
  for (const block of world.entered.get(id) ?? []) expect(recorded, `${block} of ${shown}`).toContain(block);
}

it(`leaves the same behind, whatever happens to its process (CRASH_SEED=${seed})`, async () => {
  const roll = dice(seed);
  const seen: Record<string, number> = {};
  for (let n = 0; n < PROGRAMS; n++) {
    const program = randomProgram(roll);
    look(program);
    const calm = await run(`calm-${n}`, program, new Map());
    const crashes = Array.from({ length: roll(3) }, () => [roll(calm.moments + 1), "crash"] as const);
    const crashed = await run(`crashed-${n}`, program, new Map(crashes));
    const { status, output, left } = calm;
    expect(crashed, JSON.stringify([crashes, program])).toMatchObject({ status, output });
    expect(crashed.left, JSON.stringify([crashes, program])).toEqual(left);
    const cancel = [roll(calm.moments + 1), "cancel"] as const;
    const others = n % 2 === 0 ? crashes : [];
    const cancelled = await run(`cancelled-${n}`, program, new Map([...others, cancel]));
    for (const { status } of [crashed, cancelled]) seen[status] = (seen[status] ?? 0) + 1;
  }
  // Else the programs are not what this test believes them to be.
  for (const status of ["completed", "failed", "cancelled"]) expect(seen[status], status).toBeGreaterThan(0);
});
