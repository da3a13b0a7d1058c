/**
 * Runs the benchmarks, each in a process of its own for each database, prints tables, and writes results.json and RESULTS.md
 * beside this file.
 *
 *     npm run bench                                      all of them, about ten minutes
 *     npm run bench -- throughput --database postgres    one of them on one database; writes nothing
 *     npm run bench -- --quick                           small sizes; writes nothing
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { dropAll, type Home, KINDS, type Kind, SERVERS } from "./databases.ts";
import type { Figure, Task } from "./harness.ts";
import { type Described, describeMachine, describeSqlite, type Machine, tableOf, write } from "./report.ts";
import { describeServer, findServer, type Server } from "./servers.ts";

const BENCHMARKS: Readonly<Record<string, readonly Kind[]>> = {
  throughput: KINDS,
  workers: SERVERS,
  latency: KINDS,
  messaging: KINDS,
  children: KINDS,
  saga: KINDS,
  http: KINDS,
  outbox: KINDS,
  long: KINDS,
  recovery: KINDS,
  idle: SERVERS,
  sleepers: KINDS,
};

/** Milliseconds after which a benchmark is given up. */
const WITHIN = 300_000;

const { values, positionals } = parseArgs({
  options: { quick: { type: "boolean", default: false }, database: { type: "string", multiple: true } },
  allowPositionals: true,
});
const names = positionals.length > 0 ? positionals : Object.keys(BENCHMARKS);
const unknown = names.find((name) => !(name in BENCHMARKS));
if (unknown !== undefined) throw new Error(`There is no benchmark ${unknown}: ${Object.keys(BENCHMARKS).join(", ")}.`);
const wanted = values.database?.map(kindOf) ?? KINDS;

const servers: Server[] = [];
const missing: string[] = [];
const homes: Home[] = [];
const machine: Machine = { ...describeMachine(), databases: {}, missing };
try {
  for (const kind of wanted) await prepare(kind);
  await runAll();
} finally {
  for (const server of servers) await server.stop();
}

/** Finds where databases of that kind are to be made, and describes it. */
async function prepare(kind: Kind): Promise<void> {
  const prefix = `romancy_bench_${process.pid}_`;
  if (kind === "sqlite") {
    const folder = mkdtempSync(join(tmpdir(), prefix));
    process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
    note({ kind, at: folder, prefix }, describeSqlite());
  } else {
    const server = await findServer(kind);
    if (typeof server === "string") {
      missing.push(`${kind}: ${server}`);
      console.error(`LEFT OUT: ${kind}: ${server}`);
      return;
    }
    servers.push(server);
    note({ kind, at: server.url, prefix }, await describeServer(kind, server.url));
  }
}

function note(home: Home, described: Described): void {
  homes.push(home);
  machine.databases[home.kind] = described;
  console.log(`${described.name}: ${described.settings}`);
}

async function runAll(): Promise<void> {
  const begun = performance.now();
  const results: Record<string, Partial<Record<Kind, Figure[]>>> = {};
  for (const name of names) {
    const figures: Partial<Record<Kind, Figure[]>> = {};
    for (const home of homes.filter(({ kind }) => BENCHMARKS[name]?.includes(kind))) {
      try {
        figures[home.kind] = run(name, { home, quick: values.quick });
      } finally {
        await dropAll(home);
      }
    }
    results[name] = figures;
    console.log(`\n${name}\n${tableOf(figures, machine)}`);
  }
  const minutes = (performance.now() - begun) / 60_000;
  console.log(`\n${minutes.toFixed(1)} minutes`);
  const isAll = positionals.length === 0 && values.database === undefined && !values.quick;
  if (isAll) write({ machine, results });
}

function run(name: string, task: Task): Figure[] {
  const file = new URL(`${name}.ts`, import.meta.url).pathname;
  const { stdout, status } = spawnSync(process.execPath, [...process.execArgv, file], {
    encoding: "utf8",
    env: { ...process.env, ROMANCY_BENCH_TASK: JSON.stringify(task) },
    stdio: ["ignore", "pipe", "inherit"],
    timeout: WITHIN,
    killSignal: "SIGKILL",
  });
  if (status !== 0) throw new Error(`The benchmark ${name} failed on ${task.home.kind}.`);
  return JSON.parse(stdout) as Figure[];
}

function kindOf(name: string): Kind {
  const kind = KINDS.find((kind) => kind === (name === "mariadb" ? "mysql" : name));
  if (kind) return kind;
  throw new Error(`There is no database ${name}: ${KINDS.join(", ")}.`);
}
