/** Four workers, hundreds of instances, and a worker killed every moment: all end once, nothing is recorded twice. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { defineWorkflow, type Romancy, type WorkflowHandle } from "../../src/index.ts";
import { dice, seed } from "../crash/random.ts";
import { startApp, testDatabase } from "../support/apps.ts";
import { placeholders } from "../support/database.ts";
import { effort } from "../support/effort.ts";
import { until } from "../support/wait.ts";
import { Kills } from "./kills.ts";

const INSTANCES = 2_000 * effort;
const WORKERS = 4;
const KILLS = 25 * effort;
/** Instances that are started between two kills at most, so that a fast machine is not done before them. */
const SHARE = 160;

const worker = fileURLToPath(new URL("fixtures/storm-worker.ts", import.meta.url));
const INSERT = "insert into payments (instance_id, nonce) values (?, ?)";

const flow = defineWorkflow("storm", (): string[] => []);

async function startAll(client: Romancy, kills: () => number): Promise<WorkflowHandle<string[]>[]> {
  const handles: WorkflowHandle<string[]>[] = [];
  while (handles.length < INSTANCES) {
    await until(() => kills() >= handles.length / SHARE);
    handles.push(...(await Promise.all(Array.from({ length: SHARE }, () => flow.start(client)))));
  }
  return handles;
}

/** Milliseconds. */
export const STORM_TIMEOUT = 180_000 * effort;

/** @param database where the workers find the test's database */
export async function storm(database: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "romancy-storm-"));
  const log = join(folder, "executions.log");
  writeFileSync(log, "");
  await testDatabase().exec("create table payments (instance_id varchar(100), nonce varchar(100))");
  const client = await startApp({ database, worker: false });
  const start = (): ChildProcess => {
    const args = [database, log, placeholders(INSERT)];
    return fork(worker, args, { execArgv: ["--disable-warning=ExperimentalWarning"] });
  };
  const workers = Array.from({ length: WORKERS }, start);
  try {
    await Promise.all(workers.map((child) => once(child, "message")));
    const kills = new Kills();
    const starts = startAll(client, () => kills.count);
    const results = starts.then((handles) => Promise.all(handles.map((handle) => handle.result())));
    await kills.run({ workers, start, roll: dice(seed), pause: 300, most: KILLS, over: results });
    check(
      await results,
      (await starts).map(({ id }) => id),
      readFileSync(log, "utf8"),
      await payments(),
      await recorded(),
    );
  } finally {
    for (const child of workers) child.kill("SIGKILL");
    await client.shutdown();
    rmSync(folder, { recursive: true });
  }
}

async function payments(): Promise<Map<string, string[]>> {
  return grouped(await testDatabase().rows("select instance_id, nonce from payments"));
}

async function recorded(): Promise<Map<string, string[]>> {
  return grouped(
    await testDatabase().rows(
      "select instance_id, data as nonce from romancy_history where kind = 'activity_completed' order by instance_id, seq",
    ),
  );
}

function grouped(rows: readonly Record<string, unknown>[]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const row of rows) {
    const id = String(row["instance_id"]);
    groups.set(id, [...(groups.get(id) ?? []), String(row["nonce"]).replaceAll('"', "")]);
  }
  return groups;
}

function check(
  results: readonly string[][],
  ids: readonly string[],
  log: string,
  paid: ReadonlyMap<string, readonly string[]>,
  histories: ReadonlyMap<string, readonly string[]>,
): void {
  const executions = new Map(
    log
      .trim()
      .split("\n")
      .map((line) => {
        const [id = "", activity = "", nonce = ""] = line.split(" ");
        return [nonce, `${id} ${activity}`] as const;
      }),
  );
  for (const [index, id] of ids.entries()) {
    const result = results[index] ?? [];
    // Four activities, each recorded once, by an execution that took place.
    expect([...(histories.get(id) ?? [])].toSorted(), id).toEqual([...result].toSorted());
    expect(result.map((nonce) => executions.get(nonce))).toEqual(
      ["plain:1", "pay:1", "plain:2", "plain:3"].map((activity) => `${id} ${activity}`),
    );
    // What was written with the record was written once, however often it was tried.
    expect(paid.get(id), id).toEqual([result[1]]);
  }
}
