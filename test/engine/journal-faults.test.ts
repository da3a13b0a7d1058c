import { expect, it, vi } from "vitest";
import type { Change, ChangeResult } from "../../src/core/commit.ts";
import { Journal } from "../../src/engine/journal.ts";
import type { Store } from "../../src/store/store.ts";
import { silent } from "../support/silent.ts";

/** Milliseconds that the journal has waited for. */
const waits: number[] = [];

vi.mock("../../src/engine/machine-time.ts", async (original) => ({
  ...(await original<typeof import("../../src/engine/machine-time.ts")>()),
  setTimeout: (run: () => void, wait: number) => {
    waits.push(wait);
    return setImmediate(run);
  },
}));

function changeOf(instanceId: string): Change {
  return { type: "advance", instanceId, epoch: 1, events: [], patch: undefined };
}

it("waits longer and longer for a batch that fails though others go through beside it", async () => {
  let failures = 0;
  const doubts: boolean[] = [];
  const submitted: Promise<unknown>[] = [];
  const store = {
    commitsAtOnce: 2,
    async commit(changes: readonly Change[], inDoubt: boolean): Promise<ChangeResult[]> {
      const isBad = changes.some((change) => change.type === "advance" && change.instanceId === "bad");
      if (!isBad) return changes.map(() => ({ type: "applied" }));
      doubts.push(inDoubt);
      if (failures++ < 4) {
        // Enough for a batch of its own, which goes through before this one is tried again.
        for (let n = 0; n < 128; n++)
          submitted.push(journal.submit(() => changeOf(`${failures}/${n}`), `${failures}/${n}`));
        throw new Error("no answer");
      }
      return changes.map(() => ({ type: "applied" }));
    },
  };
  const journal = new Journal(store as unknown as Store, silent);
  expect(await journal.submit(() => changeOf("bad"), "bad")).toEqual({ type: "applied" });
  await Promise.all(submitted);
  expect(submitted).toHaveLength(512);
  expect(doubts).toEqual([false, true, true, true, true]);
  expect(waits).toEqual([40, 80, 160, 320]);
  expect(journal.isHealthy).toBe(true);
});
