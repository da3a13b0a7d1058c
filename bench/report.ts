/** What was measured, as tables and files. */
import { writeFileSync } from "node:fs";
import { cpus, release, totalmem, type } from "node:os";
import { DatabaseSync } from "node:sqlite";
import { KINDS, type Kind } from "./databases.ts";
import type { Figure, Target } from "./harness.ts";

/** A database's name and version, and the settings that figures depend on. */
export interface Described {
  readonly name: string;
  readonly settings: string;
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGB: number;
  readonly system: string;
  readonly node: string;
  readonly date: string;
  readonly databases: Partial<Record<Kind, Described>>;
  /** What was left out, and why. */
  readonly missing: readonly string[];
}

/** The figures of one benchmark. */
export type Figures = Readonly<Partial<Record<Kind, readonly Figure[]>>>;

export interface Results {
  readonly machine: Machine;
  /** By benchmark. */
  readonly results: Readonly<Record<string, Figures>>;
}

export function describeMachine(): Omit<Machine, "databases" | "missing"> {
  const [cpu] = cpus();
  return {
    cpu: cpu?.model ?? "unknown",
    cores: cpus().length,
    memoryGB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    node: process.version,
    date: new Date().toISOString().slice(0, 10),
  };
}

export function describeSqlite(): Described {
  const memory = new DatabaseSync(":memory:");
  const version = memory.prepare("select sqlite_version() as version").get()?.["version"];
  memory.close();
  return { name: `SQLite ${String(version)}`, settings: "journal_mode = WAL, synchronous = FULL, a file on disk" };
}

/** A row for each figure, a column for each database. */
export function tableOf(figures: Figures, { databases }: Machine): string {
  const kinds = KINDS.filter((kind) => figures[kind]);
  // First the database of which there is most to tell, so that rows that others lack keep their places.
  const most = kinds.toSorted((a, b) => (figures[b]?.length ?? 0) - (figures[a]?.length ?? 0));
  const whats = new Set(most.flatMap((kind) => (figures[kind] ?? []).map(({ what, unit }) => titleOf(what, unit))));
  const shorts = kinds.map((kind) => databases[kind]?.name.split(" ")[0] ?? kind);
  const head = ["what", ...shorts, "to reach"];
  const rows = [...whats].map((what) => {
    const row = kinds.map((kind) => figures[kind]?.find((figure) => titleOf(figure.what, figure.unit) === what));
    const reach = new Map<string, string[]>();
    for (const [index, figure] of row.entries()) {
      if (figure?.target) {
        const text = textOf(figure.target);
        reach.set(text, [...(reach.get(text) ?? []), shorts[index] ?? ""]);
      }
    }
    const of = (names: readonly string[]): string =>
      names.length < row.filter(Boolean).length ? ` (${names.join(", ")})` : "";
    return [what, ...row.map(cellOf), [...reach].map(([text, names]) => text + of(names)).join(", ")];
  });
  const lines = ["---", ...kinds.map(() => "---:"), "---"];
  return [head, lines, ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

function titleOf(what: string, unit: string): string {
  return unit === "" ? what : `${what}, ${unit}`;
}

function cellOf(figure: Figure | undefined): string {
  if (!figure) return "";
  const text = figure.value.toLocaleString("en");
  return isMissed(figure) ? `${text} (missed)` : text;
}

function isMissed({ value, target }: Figure): boolean {
  if (!target || target.but !== undefined) return false;
  return "below" in target ? value >= target.below : value < target.atLeast;
}

function textOf(target: Target): string {
  const text =
    "below" in target ? `< ${target.below.toLocaleString("en")}` : `>= ${target.atLeast.toLocaleString("en")}`;
  return target.but === undefined ? text : `${text} ${target.but}`;
}

/** Writes results.json and RESULTS.md. */
export function write({ machine, results }: Results): void {
  writeFileSync(new URL("results.json", import.meta.url), `${JSON.stringify({ machine, results }, null, 2)}\n`);
  const sections = Object.entries(results).map(([name, figures]) => `## ${name}\n\n${tableOf(figures, machine)}`);
  const databases = Object.values(machine.databases).map(({ name, settings }) => `- ${name}: ${settings}`);
  const missing = machine.missing.map((text) => `- left out: ${text}`);
  writeFileSync(
    new URL("RESULTS.md", import.meta.url),
    `# Results

Written by \`npm run bench\` on ${machine.date}: ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGB} GB, ${machine.system}, Node.js
${machine.node}. Servers run on the same machine.

${[...databases, ...missing].join("\n")}

Read ratios, not absolutes: the machine is shared, and the same program varies by a factor of two within minutes. The bare loop
writes the same rows in the same batches through the same driver and with no engine, right after the engine in the same process.

${sections.join("\n\n")}
`,
  );
}
