/** The pages for readers, and the code in them. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface Page {
  /** Such as `docs/saga`. */
  readonly name: string;
  readonly text: string;
}

export function pages(root: string): Page[] {
  const guides = readdirSync(join(root, "docs")).filter((file) => file.endsWith(".md"));
  const files = ["README.md", "CONTRIBUTING.md", ...guides.map((file) => `docs/${file}`)];
  return files.map((file) => ({ name: file.slice(0, -".md".length), text: readFileSync(join(root, file), "utf8") }));
}

/** A comment that begins a module, a block that belongs to one, or a block that is a file. */
const PART = /<!-- checked\n(?<before>.*?)-->|```ts\n(?<block>.*?)```|```ts (?<file>\S+)\n(?<text>.*?)```/gs;

/** Texts by the names of their files; `undefined` when a block stands before the first comment. */
export function modulesOf({ text }: Page): Map<string, string> | undefined {
  const files = new Map<string, string>();
  const modules: string[][] = [];
  for (const { groups = {} } of text.matchAll(PART)) {
    const { before, block, file, text: whole } = groups;
    if (before !== undefined) modules.push([before]);
    else if (block === undefined) files.set(fileName(file ?? ""), whole ?? "");
    else if (modules.length === 0) return undefined;
    else modules.at(-1)?.push(block);
  }
  for (const [index, parts] of modules.entries()) files.set(`module-${index + 1}.ts`, parts.join("\n"));
  return files;
}

/** The README's quick start has a name without an ending, as it is not run under it. */
function fileName(name: string): string {
  return name.endsWith(".ts") ? name : `${name}.ts`;
}
