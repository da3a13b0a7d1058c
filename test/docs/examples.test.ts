/** Every example is run by some test. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

it("is run by a test", () => {
  const tests = readdirSync(join(root, "test"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".test.ts"))
    .map((file) => readFileSync(join(root, "test", file), "utf8"));
  const examples = readdirSync(join(root, "examples")).filter((file) => file.endsWith(".ts"));
  const forgotten = examples.filter((file) => !tests.some((test) => test.includes(`examples/${file}`)));
  expect(examples).toContain("quick-start.ts");
  expect(forgotten).toEqual([]);
});
