/** Tells whether a worker's process on this host still lives, long before its lease would run out. */
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

export interface ProcessIdentity {
  /** The host, this boot of it, and the namespace in which `pid` means something. */
  readonly host: string;
  readonly pid: number;
  /** When the process was born, in the host's terms; empty where the host does not tell. */
  readonly born: string;
}

export function ownIdentity(): ProcessIdentity {
  const host = [hostname(), read("/proc/sys/kernel/random/boot_id"), link("/proc/self/ns/pid")].join("/");
  return { host, pid: process.pid, born: statusOf(process.pid)?.born ?? "" };
}

/** Whether it is certain that the process is gone. A process on another host is never certain to be. */
export function isGone(other: ProcessIdentity, own: ProcessIdentity): boolean {
  if (other.host !== own.host) return false;
  if (!exists(other.pid)) return true;
  const status = statusOf(other.pid);
  // The pid may belong to a later process by now, or to one that died and whose parent has not noticed.
  return status !== undefined && (status.isDead || status.born !== other.born);
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it exists, and is somebody else's.
    return !(error instanceof Error && "code" in error && error.code === "ESRCH");
  }
}

/** From Linux's `/proc/<pid>/stat` (proc_pid_stat(5)): field 3 is the state, field 22 the start time. */
function statusOf(pid: number): { readonly isDead: boolean; readonly born: string } | undefined {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === "") return undefined;
  // The second field is the program's name in parentheses and may itself hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state = ""] = fields;
  return { isDead: state === "Z" || state === "X", born: fields[19] ?? "" };
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}

function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}
