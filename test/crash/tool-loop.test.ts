/** kill -9 in the middle of an agent's loop: no call of a model, and no tool, that is recorded is made again. */
import { describe, expect, it } from "vitest";
import { effects, launch, launched } from "./child.ts";

/** What a life without a crash does. */
const ALL = ["model after 0", "tool one", "model after 1", "tool two", "model after 2", "tool three", "model after 3"];

describe("killed", () => {
  it.each([...ALL, "the end"])("at %s: only what was under way is done again", async (point) => {
    const first = launch("tool-loop", { mode: point });
    first.start("research", "a");
    await first.died();
    const second = await launched("tool-loop");
    const result = (await second.result("research", "a")) as { text: string; steps: number };
    await second.shutdown();
    expect(result.steps).toBe(4);
    expect(result.text).toContain("three is done");
    const done = effects().map(({ operation }) => operation);
    const at = ALL.indexOf(point);
    if (at >= 0) expect(done).toEqual([...ALL.slice(0, at + 1), ...ALL.slice(at)]);
    // The last call may not have been recorded when the code that had its result died.
    else expect([[...ALL], [...ALL, ALL.at(-1)]]).toContainEqual(done);
  });
});
