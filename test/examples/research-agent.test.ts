import { expect, it } from "vitest";
import { runExample } from "./run-example.ts";

it("runs as it is, without a key", () => {
  const { ANTHROPIC_API_KEY: _, ...env } = process.env;
  const output = runExample("examples/research-agent.ts", { args: ["tea"], env });
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
});
