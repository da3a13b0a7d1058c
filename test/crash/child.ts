/**
 * Programs in processes of their own, to be killed. Each test has a folder with the database and a file of effects, one
 * line for each execution of an activity's body, written outside the database so that it outlives every crash.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync, type SQLOutputValue } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, vi } from "vitest";
import { type HistoryEntry, Romancy, type RomancyOptions } from "../../src/index.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let folder = "";
const programs = new Set<Program>();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "romancy-crash-"));
});

afterEach(async () => {
  await Promise.all([...programs].map((program) => program.kill()));
  programs.clear();
  rmSync(folder, { recursive: true });
});

/** How to run a program of `fixtures/`. */
export interface Launch {
  /** What `settings.label` is to be: the process's name in effects and results. */
  readonly label?: string;
  /** What `settings.mode` is to be: a point to die at, or another way to behave. */
  readonly mode?: string;
  readonly options?: Omit<RomancyOptions, "database" | "logger">;
  /** Milliseconds that the program's clock is ahead. */
  readonly ahead?: number;
  /** The call of SQLite, counted from 1, before which the program dies. */
  readonly dieBeforeCall?: number;
  /** The end of the SQL text of the calls that are counted; all calls by default. */
  readonly counted?: string;
}

/** How a process ended. */
interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A process that runs a program. */
export class Program {
  /** All lines that it has printed. */
  readonly lines: string[] = [];
  readonly #process: ChildProcess;
  readonly #exit: Promise<Exit>;
  #errors = "";
  #ended = false;
  #onLine: (() => void)[] = [];

  constructor(process: ChildProcess) {
    this.#process = process;
    const { promise, resolve } = Promise.withResolvers<Exit>();
    this.#exit = promise;
    if (process.stdout) createInterface(process.stdout).on("line", (line) => this.#add(line));
    process.stderr?.on("data", (data: Buffer) => {
      this.#errors += data.toString();
    });
    // It may be dead already when it is told something.
    process.stdin?.on("error", () => {});
    // Not "exit": its last lines may come after that.
    process.on("close", (code, signal) => {
      this.#ended = true;
      this.#tellWaiters();
      resolve({ code, signal });
    });
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Resolves with the rest of the first line that begins with `start`; rejects when the process ends without it. */
  async line(start: string): Promise<string> {
    for (;;) {
      const line = this.lines.find((candidate) => candidate === start || candidate.startsWith(`${start} `));
      if (line !== undefined) return line.slice(start.length + 1);
      if (this.#ended) throw new Error(`The program ended without "${start}".\n${this.#report()}`);
      await this.#nextLine();
    }
  }

  /** Resolves once it has printed so many lines, or has ended. */
  async count(lines: number): Promise<void> {
    while (this.lines.length < lines && !this.#ended) await this.#nextLine();
  }

  /** Resolves once it has killed itself. */
  async died(): Promise<void> {
    expect(await this.#exit, this.#report()).toEqual({ code: null, signal: "SIGKILL" });
  }

  /** Resolves with whether it has killed itself rather than come to a good end. */
  async diedOrEnded(): Promise<boolean> {
    const exit = await this.#exit;
    expect([{ code: null, signal: "SIGKILL" }, good], this.#report()).toContainEqual(exit);
    return exit.signal !== null;
  }

  /** Resolves once it has come to a good end. */
  async ended(): Promise<void> {
    expect(await this.#exit, this.#report()).toEqual(good);
  }

  /** Resolves once it is told to shut down and has done so. */
  async shutdown(): Promise<void> {
    this.tell("shutdown");
    await this.ended();
  }

  /** Gives it a command. */
  tell(command: string): void {
    this.#process.stdin?.write(`${command}\n`);
  }

  /** Starts an instance and lets nobody in that process wait for its result. */
  begin(workflow: string, id: string, ...args: readonly unknown[]): void {
    this.tell(`begin ${workflow} ${id} ${JSON.stringify(args)}`);
  }

  /** Starts an instance; its result will be printed. */
  start(workflow: string, id: string, ...args: readonly unknown[]): void {
    this.tell(`start ${workflow} ${id} ${JSON.stringify(args)}`);
  }

  /** Starts an instance, or finds it started, and resolves with its result. */
  async result(workflow: string, id: string, ...args: readonly unknown[]): Promise<unknown> {
    this.start(workflow, id, ...args);
    return JSON.parse(await this.line(`result ${id}`));
  }

  /** kill -CONT. */
  wakeUp(): void {
    this.#process.kill("SIGCONT");
  }

  /** kill -9. Resolves when it is gone. */
  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#exit;
  }

  #add(line: string): void {
    this.lines.push(line);
    this.#tellWaiters();
  }

  #nextLine(): Promise<void> {
    return new Promise((resolve) => this.#onLine.push(resolve));
  }

  #tellWaiters(): void {
    for (const resolve of this.#onLine.splice(0)) resolve();
  }

  #report(): string {
    return `It printed:\n${this.lines.slice(-40).join("\n")}\nand on stderr:\n${this.#errors}`;
  }
}

const good: Exit = { code: 0, signal: null };

/** Runs `fixtures/<name>.ts`; it is killed after the test whatever happens. */
export function launch(name: string, { options = {}, mode = "", label = "", ...more }: Launch = {}): Program {
  const { ahead = 0, dieBeforeCall, counted } = more;
  const flags = ["--disable-warning=ExperimentalWarning"];
  if (ahead > 0) flags.push("--import", fixture("clock"));
  if (dieBeforeCall !== undefined) flags.push("--import", fixture("die-before-call"));
  const settings = JSON.stringify({ folder, options, mode, label });
  const process_ = spawn(process.execPath, [...flags, fixture(name), settings], {
    env: {
      ...process.env,
      CRASH_AHEAD: String(ahead),
      CRASH_DIE_BEFORE: String(dieBeforeCall ?? 0),
      CRASH_COUNTED: counted ?? "",
    },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const program = new Program(process_);
  programs.add(program);
  return program;
}

/** The same; resolves once its app is started. */
export async function launched(name: string, settings?: Launch): Promise<Program> {
  const program = launch(name, settings);
  await program.line("started");
  return program;
}

function fixture(name: string): string {
  return fileURLToPath(new URL(`fixtures/${name}.ts`, import.meta.url));
}

/** The test's database; `name` for a second one. */
export function databaseFile(name = "test"): string {
  return join(folder, `${name}.db`);
}

/** One execution of an activity's body. */
export interface Effect {
  readonly instance: string;
  readonly operation: string;
  readonly attempt: number;
  readonly label: string;
}

/** What activity bodies did so far, in order. */
export function effects(): Effect[] {
  const file = join(folder, "effects");
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Effect);
}

/** How often each activity's body was executed, by its operation id. */
export function executions(instance?: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const effect of effects()) {
    if (instance !== undefined && effect.instance !== instance) continue;
    counts[effect.operation] = (counts[effect.operation] ?? 0) + 1;
  }
  return counts;
}

/** Does something with the database, as another program of the user's would. */
export function inDatabase<T>(body: (database: DatabaseSync) => T, readOnly = false): T {
  const database = new DatabaseSync(databaseFile(), { readOnly, timeout: 10_000 });
  try {
    return body(database);
  } finally {
    database.close();
  }
}

/** The user's own table. Without a constraint unless asked for: what is written twice is to be seen twice. */
export function createPayments(constraint = ""): void {
  inDatabase((database) => database.exec(`create table payments (instance text, step text ${constraint})`));
}

/** What the user's table holds. */
export function payments(): Record<string, SQLOutputValue>[] {
  const rows = inDatabase((database) =>
    database.prepare("select instance, step from payments order by instance, step").all(),
  );
  return rows.map((row) => ({ ...row }));
}

/** A client in this process; it is shut down after the body. */
export async function withClient<T>(body: (client: Romancy) => Promise<T>): Promise<T> {
  await using client = new Romancy({ database: databaseFile(), worker: false });
  await client.start();
  return await body(client);
}

/** The history of an instance. */
export function history(id: string): Promise<HistoryEntry[]> {
  return withClient((client) => client.getHistory(id));
}

/** The entries of a kind. */
export function entries<Kind extends HistoryEntry["kind"]>(
  all: readonly HistoryEntry[],
  kind: Kind,
): Extract<HistoryEntry, { kind: Kind }>[] {
  return all.filter((entry) => entry.kind === kind) as Extract<HistoryEntry, { kind: Kind }>[];
}

/** Operations whose completion is recorded, as `instance operation`, for all instances. */
export function recorded(): Set<string> {
  const rows = inDatabase((database) =>
    database
      .prepare(
        "select instance_id, operation_id from romancy_history where kind in ('activity_completed', 'activity_failed')",
      )
      .all(),
  );
  return new Set(rows.map((row) => `${String(row["instance_id"])} ${String(row["operation_id"])}`));
}

/** Resolves once the condition holds; the test's own time limit ends it when it never does. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}
