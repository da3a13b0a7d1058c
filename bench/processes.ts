/** Other processes of a benchmark: the same file in another role. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

/** What happened in a process, and when in epoch milliseconds, of which all processes of a machine have the same. */
interface Note {
  readonly what: string;
  readonly at: number;
  readonly more: string;
}

/** What this process is to do: `parent` for the first of a benchmark, else what `Child.start` said. */
export const [role = "parent", argument = ""] = process.argv.slice(2);

export function now(): number {
  return performance.timeOrigin + performance.now();
}

/** To the parent. */
export function tell(what: string, more = ""): void {
  process.send?.({ what, at: now(), more } satisfies Note);
}

/** From the parent. Without a parent the process ends. */
export function onAsked(does: Readonly<Record<string, () => unknown>>): void {
  process.on("message", (what: string) => void does[what]?.());
  process.on("disconnect", () => process.exit());
}

/** Those that live, in whatever state. */
const children = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});

export class Child {
  readonly #process: ChildProcess;
  readonly #notes: Note[] = [];
  #onNote: () => void = () => {};

  constructor(child: ChildProcess) {
    this.#process = child;
    children.add(child);
    child.on("exit", () => children.delete(child));
    child.on("message", (note: Note) => {
      this.#notes.push(note);
      this.#onNote();
    });
  }

  /**
   * Starts a process.
   *
   * @param file the benchmark's
   * @param host the name of the host that it believes to be on, if not on this one
   */
  static start(file: string, args: readonly string[], host?: string): Child {
    const preload = ["--import", new URL("other-host.ts", import.meta.url).href];
    return new Child(
      fork(file, args, {
        execArgv: [...process.execArgv, ...(host === undefined ? [] : preload)],
        env: { ...process.env, ...(host !== undefined && { ROMANCY_BENCH_HOST: host }) },
        stdio: ["ignore", "ignore", "inherit", "ipc"],
      }),
    );
  }

  /** Resolves when it has told so: when that was. */
  async heard(what: string): Promise<number> {
    return (await this.#next(what)).at;
  }

  /** Resolves when it has told so: what it said of it. */
  async said(what: string): Promise<string> {
    return (await this.#next(what)).more;
  }

  /** The first note of that kind that has not been asked for yet. */
  async #next(what: string): Promise<Note> {
    for (;;) {
      const [note] = this.#notes.splice(this.#indexOf(what), 1);
      if (note) return note;
      if (!children.has(this.#process)) throw new Error(`The process ended before it told "${what}".`);
      await new Promise<void>((resolve) => {
        this.#onNote = resolve;
        this.#process.once("exit", () => resolve());
      });
    }
  }

  #indexOf(what: string): number {
    const index = this.#notes.findIndex((note) => note.what === what);
    return index < 0 ? this.#notes.length : index;
  }

  ask(what: string): void {
    this.#process.send(what);
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** Kills it, if it still lives. */
  async end(): Promise<void> {
    if (!children.has(this.#process)) return;
    this.#process.kill("SIGKILL");
    await once(this.#process, "exit");
  }
}
