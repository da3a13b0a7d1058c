/** The rules of the folders, checked without a linter: who may import whom, how long files may be, no cycles. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const source = fileURLToPath(new URL("../src/", import.meta.url));

/** What each folder may import; `npm:` stands for packages, `node:` for what Node brings. */
const MAY_IMPORT: Readonly<Record<string, readonly RegExp[]>> = {
  core: [/^core\//, /^npm:/],
  workflow: [/^workflow\//, /^core\//, /^npm:/],
  store: [/^store\//, /^core\//, /^npm:/],
  drivers: [
    /^drivers\//,
    /^core\/errors/,
    /^store\/(database|dialect|naming|pools|sql|statement)\./,
    /^npm:/,
    /^node:/,
  ],
  http: [/^http\//, /^core\//, /^workflow\/(channels|cloud-event|events|logger|outbox)\./, /^npm:/, /^node:/],
  llm: [/^llm\//, /^index\./, /^npm:/],
  otel: [/^otel\//, /^index\./, /^npm:/],
  mcp: [/^mcp\//, /^index\./, /^npm:/],
  outbox: [/^index\./, /^npm:/],
  testing: [/^testing\//, /^index\./, /^node:/],
  engine: [/^engine\//, /^core\//, /^workflow\//, /^store\/store\./, /^http\/port\./, /^npm:/, /^node:/],
};

/** The one place where the parts are put together. */
const WIRING: Readonly<Record<string, readonly RegExp[]>> = {
  "engine/app.ts": [/^store\/(sql-store|migrate)/, /^http\/(broker|door|sdk|server)\./],
  "engine/open-database.ts": [/^store\/database/, /^drivers\//],
};

/** Lines; a file that grows beyond is to be divided. */
const LONGEST = 400;

const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));

function textOf(file: string): string {
  return readFileSync(join(source, file), "utf8");
}

function importsOf(file: string): string[] {
  const specifiers = [...textOf(file).matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map(
    ([, specifier = ""]) => specifier,
  );
  return specifiers.map((specifier) => {
    if (specifier.startsWith("node:")) return specifier;
    if (!specifier.startsWith(".")) return `npm:${specifier}`;
    return relative(source, resolve(source, dirname(file), specifier));
  });
}

describe("the architecture", () => {
  it("knows every folder", () => {
    const folders = new Set(files.map((file) => file.split("/")[0]));
    expect([...folders].toSorted()).toEqual([...Object.keys(MAY_IMPORT), "index.ts"].toSorted());
  });

  it.each(files.filter((file) => file.includes("/")))("%s imports only what its folder may", (file) => {
    const allowed = [...(MAY_IMPORT[file.split("/")[0] ?? ""] ?? []), ...(WIRING[file] ?? [])];
    expect(importsOf(file).filter((target) => !allowed.some((pattern) => pattern.test(target)))).toEqual([]);
  });

  it("has no cycles", () => {
    const graph = new Map(files.map((file) => [file, importsOf(file).filter((target) => files.includes(target))]));
    const done = new Set<string>();
    const visit = (file: string, path: readonly string[]): void => {
      expect(path, "a cycle").not.toContain(file);
      if (done.has(file)) return;
      for (const target of graph.get(file) ?? []) visit(target, [...path, file]);
      done.add(file);
    };
    for (const file of files) visit(file, []);
  });

  it.each(files.filter((file) => file.startsWith("core/")))("%s does no I/O and knows no time or chance", (file) => {
    expect(textOf(file)).not.toMatch(
      /\bDate\.now|new Date\(\)|Math\.random|performance\.|process\.|setTimeout|setImmediate/,
    );
  });

  it.each(files.filter((file) => file.startsWith("engine/") && file !== "engine/machine-time.ts"))(
    "%s takes timers and clocks from machine-time.ts, or from a Clock",
    (file) => {
      const text = textOf(file);
      const used = text.match(/\b(?:setTimeout|setInterval|setImmediate|performance)\b(?=[(.])/);
      if (used) expect(importsOf(file)).toContain("engine/machine-time.ts");
      expect(text).not.toMatch(/\bDate\.now\b|new Date\(\)/);
    },
  );

  it("keeps files short", () => {
    expect(files.filter((file) => textOf(file).split("\n").length > LONGEST)).toEqual([]);
  });
});
