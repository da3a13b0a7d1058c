/** The processes of a server, found by where they work: database servers make their data folder their own. */
import { readdirSync, readlinkSync } from "node:fs";

/** Milliseconds between two looks. */
const LOOK_EVERY = 5;

/** Sends the signal to all processes that work in the folder, and again to those that come, until there are none. */
export async function endAll(folder: string, signal: NodeJS.Signals): Promise<void> {
  const told = new Set<number>();
  for (;;) {
    const pids = processesIn(folder);
    if (pids.length === 0) return;
    for (const pid of pids) {
      if (!told.has(pid)) tell(pid, signal);
      told.add(pid);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
  }
}

function tell(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has just ended.
  }
}

function processesIn(folder: string): number[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => workingFolder(pid).startsWith(folder)).map(Number);
}

/** Empty for one that has ended, or that is another user's. */
function workingFolder(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return "";
  }
}
