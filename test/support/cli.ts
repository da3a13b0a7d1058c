/** The program `romancy`, run as its users run it: as a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach } from "vitest";
import { testDatabase } from "./apps.ts";

export const program: string = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

/** A module with workflows; see there. */
export const workflowsModule: string = fileURLToPath(new URL("./cli-workflows.ts", import.meta.url));

export interface Output {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const running = new Set<ChildProcess>();

afterEach(async () => {
  for (const child of running) {
    child.kill("SIGKILL");
    await once(child, "close");
  }
});

/** The program under way; its environment names the test's database, unless told otherwise. */
export function launch(args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
  const { NO_COLOR: _noColor, FORCE_COLOR: _forceColor, ...inherited } = process.env;
  const database = "ROMANCY_DATABASE_URL" in env ? {} : { ROMANCY_DATABASE_URL: testDatabase().url };
  const child = spawn(process.execPath, [program, ...args], { env: { ...inherited, ...database, ...env } });
  running.add(child);
  child.once("close", () => running.delete(child));
  return child;
}

/** Runs it to its end. */
export async function romancy(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Output> {
  const child = launch(args, env);
  const [stdout, stderr, [code]] = await Promise.all([
    textOf(child.stdout),
    textOf(child.stderr),
    once(child, "close") as Promise<[number | null]>,
  ]);
  return { code, stdout, stderr };
}

/** The same with `--json`: what it wrote, parsed; it must have succeeded and have said nothing else. */
export async function romancyJson(...args: readonly string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await romancy([...args, "--json"]);
  if (code !== 0 || stderr !== "") throw new Error(`romancy ${args.join(" ")} ended with ${code}: ${stderr}`);
  return JSON.parse(stdout) as Record<string, unknown>;
}

async function textOf(stream: NodeJS.ReadableStream | null): Promise<string> {
  let text = "";
  for await (const chunk of stream ?? []) text += String(chunk);
  return text;
}
