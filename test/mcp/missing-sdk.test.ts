import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

it("names the package to install", () => {
  const fixture = fileURLToPath(new URL("support/without-sdk.ts", import.meta.url));
  const output = execFileSync(process.execPath, ["--disable-warning=ExperimentalWarning", fixture], {
    encoding: "utf8",
  });
  expect(output.trim()).toBe(
    "MissingPackageError: MCP servers need the package `@modelcontextprotocol/server`: run `npm install " +
      "@modelcontextprotocol/server`.",
  );
});
