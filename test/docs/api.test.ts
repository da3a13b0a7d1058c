/** The reference names all that can be imported, and nothing else; so it does with what an app can do. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import * as romancy from "../../src/index.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const page = readFileSync(join(root, "docs/api.md"), "utf8");

/** The source of each module, by the name that it is imported by. */
function sources(): Map<string, string> {
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    exports: Record<string, string | { "romancy-source": string }>;
  };
  const found = new Map<string, string>();
  for (const [path, target] of Object.entries(exports)) {
    if (typeof target === "object") found.set(join("romancy", path), join(root, target["romancy-source"]));
  }
  return found;
}

const LIST = /^export (?:type )?\{(.*?)\}/gms;
const DECLARATION = /^export (?:declare |abstract |async )*(?:class|const|function|interface|type) (\w+)/gm;
const WHOLE = /^export type \* from "(.*?)"/gm;

/** The names that a file exports. */
function exportsOf(file: string): string[] {
  const text = readFileSync(file, "utf8");
  const listed = [...text.matchAll(LIST)].flatMap(([, names = ""]) => names.split(",").map((name) => name.trim()));
  return [
    ...listed.filter((name) => name !== "").map((name) => name.replace(/^type /, "")),
    ...[...text.matchAll(DECLARATION)].map(([, name = ""]) => name),
    ...[...text.matchAll(WHOLE)].flatMap(([, from = ""]) => exportsOf(join(dirname(file), from))),
  ].sort();
}

const FIRST_CELLS = /^\| (`.*?) \|/gm;
const NAME = /`(\w+)(?:<[^`]*>)?(?:[.(][^`]*)?`/g;

/** The names in the first column of the tables that have such a head, in a part of the page. */
function namesIn(part: string, head: string): string[] {
  const tables = part.split(/\n{2,}/).filter((paragraph) => paragraph.startsWith(`| ${head} |`));
  return tables.flatMap((table) => {
    const rows = table.split("\n").slice(2).join("\n");
    return [...rows.matchAll(FIRST_CELLS)].flatMap(([, cell = ""]) =>
      [...cell.matchAll(NAME)].map(([, name = ""]) => name),
    );
  });
}

/** The parts of the page, by the modules that they are of. */
const parts = new Map(page.split(/^## /m).map((part) => [/^`(.*?)`/.exec(part)?.[1], part]));

describe("the reference", () => {
  it("has a part for each module", () => {
    expect([...parts.keys()].filter((name) => name !== undefined)).toEqual(
      expect.arrayContaining([...sources().keys()]),
    );
  });

  it.each([...sources()])("names what %s exports", (module, file) => {
    expect(namesIn(parts.get(module) ?? "", "export").sort()).toEqual(exportsOf(file));
  });

  it("names what an app can do", () => {
    const members = Object.getOwnPropertyNames(romancy.Romancy.prototype);
    const app = new romancy.Romancy({ database: ":memory:" });
    const all = [...members, ...Object.keys(app)].filter((name) => name !== "constructor" && !name.startsWith("~"));
    expect([...new Set(namesIn(page, "of `Romancy`"))].sort()).toEqual(all.sort());
  });

  it("names the codes of the errors", () => {
    const files = ["errors.ts", "outcome-errors.ts"].map((file) => readFileSync(join(root, "src/core", file), "utf8"));
    const classes = /class (\w+) extends RomancyError \{.*?super\(\s*"(\w+)"/gs;
    const codes = [...files.join("\n").matchAll(classes)].map(([, name, code]) => `| \`${name}\` | \`${code}\` |`);
    expect(page.match(/^\| `\w+Error` \| `[A-Z_]+` \|/gm)?.toSorted()).toEqual(codes.sort());
  });
});
