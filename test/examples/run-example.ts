/** Runs an example from its source, in a process and an empty folder of its own. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

interface RunOptions {
  /** Further options of Node's own. */
  readonly flags?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * Gives what it has printed; throws when it fails.
 *
 * @param example such as `examples/events.ts`
 */
export function runExample(example: string, { flags = [], args = [], env = process.env }: RunOptions = {}): string {
  const folder = mkdtempSync(join(tmpdir(), "romancy-example-"));
  const all = ["--disable-warning=ExperimentalWarning", "--conditions=romancy-source", ...flags, join(root, example)];
  try {
    return execFileSync(process.execPath, [...all, ...args], { cwd: folder, encoding: "utf8", env });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
