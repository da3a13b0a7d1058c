import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

it("runs as it is, without a key", () => {
  const folder = mkdtempSync(join(tmpdir(), "romancy-research-"));
  const example = fileURLToPath(new URL("../../examples/research-agent.ts", import.meta.url));
  const args = ["--disable-warning=ExperimentalWarning", "--conditions=romancy-source", example, "tea"];
  const { ANTHROPIC_API_KEY: _, ...env } = process.env;
  const output = execFileSync(process.execPath, args, { cwd: folder, encoding: "utf8", env });
  const research = "The model is asked: You are a researcher. Look the topic up, then list what you have found.";
  const analyse = "The model is asked: You are an analyst. Say what matters in the findings.";
  // The app says, too, that it takes over from a process that is dead.
  expect(output.split("\n").filter((line) => /^(The|\d)/.test(line))).toEqual([
    research,
    research,
    analyse,
    "The process was killed. It is started again.",
    analyse,
    "The model is asked: You are an editor. Write a report of one paragraph.",
    "The library has three shelves on tea.",
    "4 calls of the model are recorded; they have cost 480 tokens.",
  ]);
  rmSync(folder, { recursive: true });
});
