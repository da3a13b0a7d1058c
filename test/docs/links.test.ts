/** Links from page to page lead somewhere: to a file that is there, and to a heading in it. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { pages } from "./pages.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

const LINK = /\]\((?!https?:)([^)\s]+)\)/g;
const BLOCK = /^```.*?^```/gms;
const CODE = /`[^`\n]*`/g;
const HEADING = /^#+ (.*)$/gm;

/** As GitHub makes them of headings. */
function anchorsOf(file: string): string[] {
  const text = readFileSync(file, "utf8").replaceAll(BLOCK, "");
  return [...text.matchAll(HEADING)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_\- ]/gu, "")
      .replaceAll(" ", "-"),
  );
}

function isGood(page: string, link: string): boolean {
  const [path = "", anchor] = link.split("#");
  const file = path === "" ? page : join(dirname(page), path);
  return existsSync(file) && (anchor === undefined || anchorsOf(file).includes(anchor));
}

it.each(pages(root))("those of $name are good", ({ name, text }) => {
  const links = [...text.replaceAll(BLOCK, "").replaceAll(CODE, "").matchAll(LINK)].map(([, link = ""]) => link);
  expect(links.filter((link) => !isGood(join(root, `${name}.md`), link))).toEqual([]);
});

it("lead from the index to each page", () => {
  const index = readFileSync(join(root, "docs/README.md"), "utf8");
  const guides = pages(root).filter(({ name }) => name.startsWith("docs/") && name !== "docs/README");
  expect(guides.filter(({ name }) => !index.includes(`(${name.slice("docs/".length)}.md)`))).toEqual([]);
});
