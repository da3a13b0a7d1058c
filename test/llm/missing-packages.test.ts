/** What those are told who call models and have not installed the packages for it. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

it("names the package to install, the AI SDK's or the provider's, and does not try again", () => {
  const fixture = fileURLToPath(new URL("support/without-ai.ts", import.meta.url));
  const output = execFileSync(process.execPath, ["--disable-warning=ExperimentalWarning", fixture], {
    encoding: "utf8",
  });
  expect(output.trim().split("\n")).toEqual([
    "MissingPackageError: Calls of language models need the package `ai`: run `npm install ai`.",
    "MissingPackageError: Models of openai need the package `@ai-sdk/openai`: run `npm install @ai-sdk/openai`.",
  ]);
});
