/**
 * The code of the pages compiles. What a page takes for granted stands in a comment that begins with "checked": the code
 * behind it, up to the next such comment, is one module. A block that has a file's name is that file.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { modulesOf, type Page, pages } from "./pages.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

const OPTIONS = {
  extends: join(root, "tsconfig.json"),
  compilerOptions: {
    paths: {
      romancy: [join(root, "src/index.ts")],
      "romancy/outbox/*": [join(root, "src/outbox/*.ts")],
      "romancy/*": [join(root, "src/*/index.ts")],
    },
    // As in tsconfig.llm.json.
    skipLibCheck: true,
  },
  exclude: [],
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "romancy-docs-"));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const all = pages(root);

it("is found in all pages", () => {
  const names = all.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(["README", "docs/saga", "docs/getting-started", "docs/llm"]));
});

it("says what it takes for granted", () => {
  expect(all.filter((page) => modulesOf(page) === undefined).map(({ name }) => name)).toEqual([]);
});

it("is checked by the compiler", { timeout: 60_000 }, () => {
  for (const page of all) writePage(page);
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ ...OPTIONS, include: [join(folder, "pages")] }));
  const compiler = join(root, "node_modules/.bin/tsc");
  const { stdout } = spawnSync(compiler, ["--noEmit", "-p", folder], { encoding: "utf8" });
  expect(stdout).toBe("");
});

function writePage(page: Page): void {
  for (const [name, text] of modulesOf(page) ?? []) {
    const file = join(folder, "pages", page.name, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}
