/** The code of a page compiles. What it takes for granted stands in a comment of the page that begins with "checked". */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

const CHECKED = /<!-- checked\n(.*?)-->/s;
const BLOCK = /```ts\n(.*?)```/gs;

/** By name, each as one module. */
function modules(): Map<string, string> {
  const found = new Map<string, string>();
  for (const page of readdirSync(join(root, "docs"))) {
    const text = readFileSync(join(root, "docs", page), "utf8");
    const [, before] = CHECKED.exec(text) ?? [];
    if (before === undefined) continue;
    const blocks = [...text.matchAll(BLOCK)].map(([, block]) => block);
    found.set(`${basename(page, ".md")}.ts`, [before, ...blocks].join("\n"));
  }
  return found;
}

it("is checked by the compiler", { timeout: 60_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "romancy-docs-"));
  try {
    const pages = modules();
    expect([...pages.keys()]).toEqual(expect.arrayContaining(["cancel.ts", "saga.ts", "testing.ts", "versioning.ts"]));
    for (const [name, text] of pages) writeFileSync(join(folder, name), text);
    const config = {
      extends: join(root, "tsconfig.json"),
      compilerOptions: {
        paths: {
          romancy: [join(root, "src/index.ts")],
          "romancy/mcp": [join(root, "src/mcp/index.ts")],
          "romancy/testing": [join(root, "src/testing/index.ts")],
          "romancy/otel": [join(root, "src/otel/index.ts")],
          "@opentelemetry/api": [join(root, "node_modules/@opentelemetry/api")],
          zod: [join(root, "node_modules/zod")],
        },
        typeRoots: [join(root, "node_modules/@types")],
        // The folder has no package.json that would say so.
        module: "esnext",
        moduleResolution: "bundler",
      },
      include: [`${folder}/*.ts`],
    };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
    const compiler = join(root, "node_modules/.bin/tsc");
    const { stdout } = spawnSync(compiler, ["--noEmit", "-p", folder], { encoding: "utf8" });
    expect(stdout).toBe("");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
