/** Which programs are installed on this machine. */
import { spawnSync } from "node:child_process";
import { accessSync, constants, readFileSync, statSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";

/** Debian's are for root's path only, though all may run them. */
const ALSO_IN = ["/usr/sbin", "/usr/local/sbin"];

/** The program's path, if it is installed. */
export function programPath(name: string): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), ...ALSO_IN];
  return folders.map((folder) => join(folder, name)).find(isProgram);
}

export function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** What the program says of its version; empty when it cannot be run. */
export function versionOf(file: string, ...before: readonly string[]): string {
  const { stdout } = spawnSync(file, [...before, "--version"], { encoding: "utf8" });
  return (stdout ?? "").trim();
}

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** Who servers run as when the tests run as root, whom PostgreSQL refuses and the others need not be. */
export function nobody(): { readonly uid: number; readonly gid: number } {
  const line = readFileSync("/etc/passwd", "utf8").match(/^nobody:[^:]*:(\d+):(\d+):/m);
  return { uid: Number(line?.[1] ?? 65_534), gid: Number(line?.[2] ?? 65_534) };
}

/** Whether any user may run what is in the folder. */
export function isOpenToAll(folder: string): boolean {
  if ((statSync(folder).mode & 0o001) === 0) return false;
  const parent = dirname(folder);
  return parent === folder || isOpenToAll(parent);
}
