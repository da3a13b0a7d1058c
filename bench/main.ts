/**
 * Runs the benchmarks, each in a process of its own, prints a table, and writes results.json and RESULTS.md beside this file.
 *
 *     npm run bench                      all of them, some minutes
 *     npm run bench -- throughput        one of them; writes nothing
 *     npm run bench -- --quick           small sizes; writes nothing
 */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { cpus, release, totalmem, type } from "node:os";
import { DatabaseSync } from "node:sqlite";
import type { Figure } from "./harness.ts";

const ALL = ["throughput", "latency", "long", "recovery", "sleepers"];

const names = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
const options = process.argv.slice(2).filter((argument) => argument.startsWith("--"));

const results: Record<string, Figure[]> = {};
for (const name of names.length > 0 ? names : ALL) {
  const figures = run(name);
  results[name] = figures;
  console.log(`\n${name}\n${table(figures)}`);
}
if (names.length === 0 && options.length === 0) write();

function run(name: string): Figure[] {
  const file = new URL(`${name}.ts`, import.meta.url).pathname;
  const { stdout, status } = spawnSync(process.execPath, [...process.execArgv, file, ...options], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (status !== 0) throw new Error(`The benchmark ${name} failed.`);
  return JSON.parse(stdout) as Figure[];
}

function table(figures: readonly Figure[]): string {
  const rows = figures.map(({ what, value, unit, target = "" }) => [
    what,
    `${value.toLocaleString("en")} ${unit}`.trim(),
    target,
  ]);
  return ["| what | figure | to reach |", "| --- | ---: | --- |", ...rows.map((row) => `| ${row.join(" | ")} |`)].join(
    "\n",
  );
}

function write(): void {
  const [cpu] = cpus();
  const memory = new DatabaseSync(":memory:");
  const sqlite = memory.prepare("select sqlite_version() as version").get()?.["version"];
  memory.close();
  const machine = {
    cpu: cpu?.model ?? "unknown",
    cores: cpus().length,
    memoryGB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    node: process.version,
    sqlite: String(sqlite),
    settings: "journal_mode = WAL, synchronous = FULL, a file on disk",
    date: new Date().toISOString().slice(0, 10),
  };
  writeFileSync(new URL("results.json", import.meta.url), `${JSON.stringify({ machine, results }, null, 2)}\n`);
  const sections = Object.entries(results).map(([name, figures]) => `## ${name}\n\n${table(figures)}`);
  writeFileSync(
    new URL("RESULTS.md", import.meta.url),
    `# Results

Written by \`npm run bench\` on ${machine.date}: ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGB} GB, ${machine.system}, Node.js
${machine.node}, SQLite ${machine.sqlite}; ${machine.settings}.

Read ratios, not absolutes: the machine is shared, and the same program varies by a factor of two within minutes. The bare loop
writes the same rows in the same batches with \`node:sqlite\` and no engine, right after the engine in the same process.

${sections.join("\n\n")}
`,
  );
}
