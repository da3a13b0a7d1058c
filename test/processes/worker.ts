import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach } from "vitest";
import type { RomancyOptions } from "../../src/index.ts";
import { testDatabase } from "../support/apps.ts";

const program = fileURLToPath(new URL("fixtures/worker.ts", import.meta.url));

interface Behaviour {
  readonly stall?: number;
  readonly hangs?: boolean;
  /** Milliseconds by which the process's clock is wrong. */
  readonly skew?: number;
}

const processes: WorkerProcess[] = [];

afterEach(async () => {
  for (const worker of processes.splice(0)) await worker.kill();
});

/** Starts a worker, which is killed after the test if it still lives. */
export function launch(
  workerId: string,
  behaviour: Behaviour = {},
  options: Partial<RomancyOptions> = {},
): WorkerProcess {
  const worker = new WorkerProcess({ workerId, ...options }, behaviour);
  processes.push(worker);
  return worker;
}

/** A worker in a process of its own, on the test's database. */
class WorkerProcess {
  readonly process: ChildProcess;
  readonly #lines: string[] = [];
  #onLine: () => void = () => {};

  constructor(options: Partial<RomancyOptions>, { skew = 0, ...behaviour }: Behaviour = {}) {
    const settings = { options: { database: testDatabase().url, ...options }, ...behaviour };
    const clock = `const now = Date.now; Date.now = () => now() + ${skew};`;
    this.process = fork(program, [JSON.stringify(settings)], {
      execArgv: [
        "--disable-warning=ExperimentalWarning",
        "--import",
        `data:text/javascript,${encodeURIComponent(clock)}`,
      ],
      stdio: ["ignore", "pipe", "inherit", "ipc"],
    });
    if (!this.process.stdout) throw new Error("A child without output.");
    createInterface(this.process.stdout).on("line", (line) => {
      this.#lines.push(line);
      this.#onLine();
    });
    this.process.once("exit", () => this.#onLine());
  }

  /** Resolves when it has printed a line that begins so; takes the line out. */
  async line(start: string): Promise<string> {
    for (;;) {
      const index = this.#lines.findIndex((line) => line.startsWith(start));
      if (index >= 0) return this.#lines.splice(index, 1)[0] as string;
      if (this.process.exitCode !== null || this.process.signalCode !== null) {
        throw new Error(`The worker ended before it said "${start}". It said:\n${this.#lines.join("\n")}`);
      }
      await new Promise<void>((resolve) => {
        this.#onLine = resolve;
      });
    }
  }

  async started(): Promise<this> {
    await this.line("started");
    return this;
  }

  async shutdown(): Promise<void> {
    this.process.send("shutdown");
    await once(this.process, "exit");
  }

  async kill(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    this.process.kill("SIGKILL");
    await once(this.process, "exit");
  }
}
