/** One life of the worker, seen from its parent. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type ProgressEvent, parseEvent } from "./events.ts";

/** A worker that has been silent for so many milliseconds hangs. */
const PATIENCE = 30_000;

export interface WorkerFiles {
  readonly database: string;
  readonly effects: string;
  readonly orders: string;
}

/** Looks at an event when it arrives; `kill` is SIGKILL, which the process can neither catch nor answer. */
export type OnEvent = (event: ProgressEvent, worker: { readonly pid: number; readonly kill: () => void }) => void;

export interface WorkerEnd {
  readonly pid: number;
  /** `exit code 0`, `SIGKILL`, or what else ended it. */
  readonly by: string;
}

/** Starts the worker and resolves when it has ended and every event of it has been looked at. */
export async function runWorker(files: WorkerFiles, run: number, onEvent: OnEvent): Promise<WorkerEnd> {
  const program = fileURLToPath(new URL("worker.ts", import.meta.url));
  const args = [...process.execArgv, program, files.database, files.effects, files.orders, String(run)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const closed = once(child, "close");
  const { pid } = child;
  // An `error` event follows, which rejects `closed` with the reason.
  if (pid === undefined) throw await closed;
  const kill = (): void => void child.kill("SIGKILL");
  let hangs = false;
  const watchdog = setTimeout(() => {
    hangs = true;
    kill();
  }, PATIENCE);
  for await (const line of createInterface({ input: child.stdout })) {
    watchdog.refresh();
    const event = parseEvent(line);
    if (event) onEvent(event, { pid, kill });
  }
  await closed;
  clearTimeout(watchdog);
  if (hangs) return { pid, by: `this demo, because it was silent for ${PATIENCE / 1_000} s` };
  return { pid, by: child.signalCode ?? `exit code ${child.exitCode}` };
}
