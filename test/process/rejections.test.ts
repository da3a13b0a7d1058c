/** In processes of their own, because a test runner listens for unhandled rejections itself. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const fixture = fileURLToPath(new URL("fixtures/rejections.ts", import.meta.url));

function run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const options = ["--disable-warning=ExperimentalWarning", fixture, ...args];
  return spawnSync(process.execPath, options, { encoding: "utf8" });
}

it("lets a branch of a workflow reject before it is awaited, or never be awaited", () => {
  // Node may tell on stderr that a rejection was handled late; what counts is that the process goes on.
  expect(run()).toMatchObject({ status: 0, stdout: "ActivityError\ndone\n" });
});

it("leaves all other unhandled rejections to Node, which ends the process", () => {
  const { status, stdout, stderr } = run("outside");
  expect(stdout).toBe("ActivityError\n");
  expect(stderr).toContain("Error: outside");
  expect(status).not.toBe(0);
});
