import { describe, expect, it } from "vitest";
import { defineActivity, defineWorkflow, StoreError } from "../../src/index.ts";
import { holdDatabase, recordingLogger, startApp, testDatabase } from "../support/apps.ts";
import { failingCommits } from "../support/faults.ts";
import { refusingData } from "../support/sql.ts";
import { gate, until } from "../support/wait.ts";

describe("the journal", () => {
  const step = defineActivity("step", (_, name: string) => name);
  const flow = defineWorkflow("flow", async (ctx, name: string) => {
    await step(ctx, name);
    return step(ctx, `${name} again`);
  });

  it("fails only the instance whose change the database refuses", async () => {
    const app = await startApp({ workflows: [flow] });
    await testDatabase().exec(refusingData('"bad"'));
    const names = ["good", "bad", "fine"];
    const handles = await Promise.all(names.map((name) => flow.start(app, name)));
    const outcomes = await Promise.allSettled(handles.map((handle) => handle.result()));
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    const failed = await handles[1]?.describe();
    expect(failed).toMatchObject({ status: "failed", error: expect.any(StoreError) });
    expect(await app.getHistory(failed?.id ?? "")).toEqual([]);
  });

  it("waits while somebody else keeps it from writing, starts no activity meanwhile, and loses nothing", async () => {
    const runs: string[] = [];
    const note = defineActivity("note", (_, name: string) => void runs.push(name));
    const held = gate();
    const hold = defineActivity("hold", () => held.opened);
    const notes = defineWorkflow("notes", async (ctx) => {
      await hold(ctx);
      await note(ctx, "after");
    });
    const app = await startApp({ workflows: [notes] });
    const handle = await notes.start(app);
    const other = await holdDatabase();
    held.open();
    await other.waitedFor();
    expect(runs).toEqual([]);
    await other.release();
    await handle.result();
    expect(runs).toEqual(["after"]);
  });

  it("drops a run whose epoch was taken, without writing anything", async () => {
    const held = gate();
    let runs = 0;
    const hold = defineActivity("hold", async () => {
      runs++;
      if (runs === 1) await held.opened;
      return runs;
    });
    const holding = defineWorkflow("holding", (ctx) => hold(ctx));
    const app = await startApp({ workflows: [holding] });
    const handle = await holding.start(app);
    await until(() => runs === 1);
    // As a sweep by another worker that takes this one for dead, and its claim.
    await testDatabase().exec("update romancy_instances set epoch = epoch + 1, worker_id = null, wake_at = 1");
    held.open();
    expect(await handle.result()).toBe(2);
    expect(await app.getHistory(handle.id)).toHaveLength(1);
  });

  it("tells when the database is away, and when it is back", async () => {
    const logger = recordingLogger();
    const app = await startApp({ workflows: [flow], logger });
    await failingCommits(3, async () => {
      expect(await (await flow.start(app, "a")).result()).toBe("a again");
    });
    const told = logger.lines.map(({ message }) => message);
    expect(told.filter((message) => message.startsWith("A commit failed"))).toHaveLength(1);
    expect(told).toContain("The database takes commits again.");
  });
});
