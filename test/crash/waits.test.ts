/** kill -9 during back-offs and sleeps. Time passes by setting clocks ahead, not by waiting. */
import { describe, expect, it } from "vitest";
import {
  effects,
  entries,
  executions,
  history,
  inDatabase,
  launched,
  type Program,
  until,
  withClient,
} from "./child.ts";

const HOUR = 3_600_000;

/** Looks through another connection, as another process would. */
function failedAttempts(): unknown[] {
  return inDatabase(
    (database) => database.prepare("select data from romancy_history where kind = 'attempt_failed'").all(),
    true,
  );
}

/** Resolves once the failure of attempt 2 is durable. */
async function secondFailure(program: Program, secondWait: number): Promise<void> {
  program.start("retried", "a", secondWait);
  await program.line("failing 2");
  await until(() => failedAttempts().length === 2);
}

function statusOf(id: string): unknown {
  const row = inDatabase(
    (database) => database.prepare("select status from romancy_instances where id = ?").get(id),
    true,
  );
  return row?.["status"];
}

describe("killed during", () => {
  it.each([
    ["a short back-off, with the instance in memory", 4_500, "running", []],
    ["a long back-off, with the instance set aside", HOUR, "waiting", ["flaky:1"]],
  ])("%s: attempts are counted on, and the wait is kept", async (_, secondWait, status, waiting) => {
    const first = await launched("waits", { label: "first" });
    await secondFailure(first, secondWait);
    await until(() => statusOf("a") === status);
    const waits = await withClient(async (client) => (await client.getInstance("a")).waitingFor);
    await first.kill();

    const before = entries(await history("a"), "attempt_failed");
    expect(before.map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(before[1]?.retryAt.getTime()).toBe((before[1]?.at.getTime() ?? 0) + secondWait);
    expect(waits).toEqual(waiting.map((operationId) => ({ kind: "retry", operationId, until: before[1]?.retryAt })));

    const second = await launched("waits", { label: "second", ahead: 2 * HOUR });
    expect(await second.result("retried", "a", secondWait)).toBe("attempt 3");
    await second.shutdown();
    expect(effects().map(({ attempt, label }) => [attempt, label])).toEqual([
      [1, "first"],
      [2, "first"],
      [3, "second"],
    ]);
    expect(entries(await history("a"), "attempt_failed")).toEqual(before);
  });

  it("a sleep: the deadline stays, is not early, and ends at once when it passed while no process lived", async () => {
    const first = await launched("waits");
    first.start("sleeper", "a");
    await until(() => statusOf("a") === "waiting");
    await first.kill();
    const [started] = await history("a");
    expect(started).toMatchObject({ kind: "timer_started", operationId: "sleep:1" });

    // A life before the deadline changes nothing.
    const second = await launched("waits");
    expect(await second.result("quick", "b")).toBe("done");
    await second.kill();
    expect(await history("a")).toEqual([started]);
    expect(statusOf("a")).toBe("waiting");

    const third = await launched("waits", { ahead: 2 * HOUR });
    expect(await third.result("sleeper", "a")).toBe("slept");
    await third.shutdown();
    expect(await history("a")).toMatchObject([started, { kind: "timer_fired", operationId: "sleep:1" }]);
  });

  it("a sleep whose instance is in memory and replayed: the deadline stays", async () => {
    const lives = [0, 0.25 * HOUR, 0.5 * HOUR];
    for (const ahead of lives) {
      const program = await launched("waits", { mode: "hold", ahead });
      program.start("busySleeper", "a");
      await program.line("ran a held:1");
      await program.kill();
    }
    const before = entries(await history("a"), "timer_started");
    expect(before).toHaveLength(1);
    expect(before[0]?.fireAt.getTime()).toBe((before[0]?.at.getTime() ?? 0) + HOUR);

    // Later than the deadline, but earlier than any that a later life would have set.
    const last = await launched("waits", { ahead: 1.2 * HOUR });
    expect(await last.result("busySleeper", "a")).toEqual([null, "worked"]);
    await last.shutdown();
    expect(entries(await history("a"), "timer_started")).toEqual(before);
    expect(entries(await history("a"), "timer_fired")).toHaveLength(1);
    expect(executions()).toEqual({ "held:1": lives.length + 1 });
  });
});
