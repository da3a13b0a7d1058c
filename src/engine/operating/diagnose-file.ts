/** What can be wrong with the file of a SQLite database. */
import { accessSync, constants, statSync } from "node:fs";
import { dirname } from "node:path";
import type { Operations } from "../../store/store.ts";
import { type Finding, ok, problem, warning } from "./finding.ts";

/** Bits of a file's mode: others may write it. */
const WORLD_WRITABLE = 0o002;

export async function checkFile(file: string, operations: Operations): Promise<Finding[]> {
  return [permissionsOf(file), journalOf(await operations.journalMode())];
}

function permissionsOf(file: string): Finding {
  const check = "file";
  if (!isWritable(file) || !isWritable(dirname(file))) {
    const message = `This user cannot write ${file}, or make files beside it, which SQLite needs for its journal.`;
    return problem(check, message, "Give the user that runs the workers the right to write the file and its folder.");
  }
  if ((statSync(file).mode & WORLD_WRITABLE) !== 0 && process.platform !== "win32") {
    return warning(check, `Everybody on this host can write ${file}.`, `Run \`chmod o-w ${file}\`.`);
  }
  return ok(check, `${file} can be written.`);
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function journalOf(mode: string | undefined): Finding {
  const check = "journal";
  if (mode === "wal") return ok(check, "The journal is in WAL mode; commits wait for the disk (`synchronous = full`).");
  const message = `The journal is in mode ${mode}, not WAL: readers and the writer wait for each other.`;
  return warning(check, message, "Put the file on a local disk: network file systems do not support WAL.");
}
