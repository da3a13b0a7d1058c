/** Programs of the tests in processes of their own, which are killed and started again. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach } from "vitest";

let children: Child[] = [];

afterEach(async () => {
  for (const child of children) await child.kill();
  children = [];
});

/** A running program and what it has printed so far. */
export class Child {
  readonly lines: string[] = [];
  readonly exited: Promise<string | number>;
  readonly #process: ChildProcess;
  #onLine: (() => void)[] = [];

  constructor(process: ChildProcess) {
    this.#process = process;
    this.exited = once(process, "exit").then(([code, signal]) => (signal ?? code) as string | number);
    if (process.stdout) {
      createInterface(process.stdout).on("line", (line) => {
        this.lines.push(line);
        for (const resolve of this.#onLine.splice(0)) resolve();
      });
    }
    void this.exited.then(() => {
      for (const resolve of this.#onLine.splice(0)) resolve();
    });
  }

  get isRunning(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** Resolves once the program has printed such a line; fails when it ends without it. */
  async line(pattern: string): Promise<string> {
    return this.#until(() => this.lines.find((line) => line.includes(pattern)), pattern);
  }

  /** Resolves once it has printed so many lines, or has ended. */
  async count(lines: number): Promise<void> {
    while (this.lines.length < lines && this.isRunning) {
      await new Promise<void>((resolve) => this.#onLine.push(resolve));
    }
  }

  send(line: string): void {
    this.#process.stdin?.write(`${line}\n`);
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.exited;
  }

  async #until(find: () => string | undefined, what: string): Promise<string> {
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      if (!this.isRunning) throw new Error(`The program ended without printing "${what}":\n${this.lines.join("\n")}`);
      await new Promise<void>((resolve) => this.#onLine.push(resolve));
    }
  }
}

/** Starts `fixtures/<program>.ts`. */
export function run(program: string, ...args: string[]): Child {
  const file = fileURLToPath(new URL(`fixtures/${program}.ts`, import.meta.url));
  const child = new Child(
    spawn(process.execPath, ["--disable-warning=ExperimentalWarning", file, ...args], {
      stdio: ["pipe", "pipe", "inherit"],
    }),
  );
  children.push(child);
  return child;
}
