/** The example runs as it is. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { testDatabase } from "../support/apps.ts";

it("goes on with one worker when the other is killed", async () => {
  const example = fileURLToPath(new URL("../../examples/several-workers.ts", import.meta.url));
  const args = ["--disable-warning=ExperimentalWarning", "--conditions=romancy-source", example, testDatabase().url];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  expect(stdout).toMatch(/^Worker \d+ was killed\. Worker \d+ goes on\.$/m);
  expect(stdout).toMatch(/^40 of 40 orders were shipped; \d+ were picked by one and packed by the other\.$/m);
});
