/** kill -9 before and after every single commit that a process makes, from its start to its shutdown. */
import { expect, it } from "vitest";
import { createPayments, effects, launch, launched, payments, recorded } from "./child.ts";

it("recovers from a kill before and after each commit", { timeout: 180_000 }, async () => {
  createPayments();
  let point = 1;
  for (; ; point++) {
    const id = `at-${point}`;
    const first = launch("everything", { label: `${point} first`, dieBeforeCall: point, counted: "commit" });
    first.start("everything", id, 0);
    // The last points are in the shutdown.
    const toShutDown = first.line(`result ${id}`).then(
      () => first.tell("shutdown"),
      () => {},
    );
    const died = await first.diedOrEnded();
    await toShutDown;
    const known = recordedOf(id);
    const second = await launched("everything", { label: `${point} second` });
    expect(await second.result("everything", id, 0), id).toEqual([1, 2, 3, 3, 7, 36]);
    await second.shutdown();

    expect(payments().filter(({ instance }) => instance === id)).toEqual([
      { instance: id, step: "paying:1" },
      { instance: id, step: "paying:2" },
    ]);
    const again = effects().filter(({ label, operation }) => label === `${point} second` && known.has(operation));
    expect(again, `recorded before the kill at commit ${point}, and executed after it`).toEqual([]);
    if (!died) break;
  }
  // Were it fewer, the points would not be where this test believes them to be.
  expect(point).toBeGreaterThan(20);
});

function recordedOf(id: string): Set<string> {
  try {
    const own = [...recorded()].filter((entry) => entry.startsWith(`${id} `));
    return new Set(own.map((entry) => entry.slice(id.length + 1)));
  } catch (error) {
    // Killed before the schema was there.
    if (error instanceof Error && error.message.includes("no such table")) return new Set();
    throw error;
  }
}
