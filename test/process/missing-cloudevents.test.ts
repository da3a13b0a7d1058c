/** What those are told who take events over HTTP and have not installed the SDK. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

it("names the package to install; all else works without it", () => {
  const fixture = fileURLToPath(new URL("fixtures/without-cloudevents.ts", import.meta.url));
  const output = execFileSync(process.execPath, ["--disable-warning=ExperimentalWarning", fixture], {
    encoding: "utf8",
  });
  const advice = "CloudEvents over HTTP need the package `cloudevents`: run `npm install cloudevents`.";
  expect(output.trim().split("\n")).toEqual([
    `MissingPackageError: ${advice}`,
    "200",
    `500 {"error":"${advice}","error_type":"MissingPackageError","retryable":true}`,
    "sendEvent works.",
  ]);
});
