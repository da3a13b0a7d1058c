import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { defineActivity, defineWorkflow, StoreError } from "../../src/index.ts";
import { databaseFile, recordingLogger, startApp } from "../support/apps.ts";
import { gate, until } from "../support/wait.ts";

/** Another process's hand on the same file. */
function otherHand<T>(use: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(databaseFile(), { timeout: 5_000 });
  const result = use(database);
  if (!(result instanceof Promise)) database.close();
  return result;
}

describe("the journal", () => {
  const step = defineActivity("step", (_, name: string) => name);
  const flow = defineWorkflow("flow", async (ctx, name: string) => {
    await step(ctx, name);
    return step(ctx, `${name} again`);
  });

  it("fails only the instance whose change the database refuses", async () => {
    const app = await startApp({ workflows: [flow] });
    otherHand((database) =>
      database.exec(`create trigger refuse before insert on romancy_history when new.data = '"bad"'
                     begin select raise(abort, 'refused by trigger'); end`),
    );
    const names = ["good", "bad", "fine"];
    const handles = await Promise.all(names.map((name) => flow.start(app, name)));
    const outcomes = await Promise.allSettled(handles.map((handle) => handle.result()));
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    const failed = await handles[1]?.describe();
    expect(failed).toMatchObject({ status: "failed", error: expect.any(StoreError) });
    expect(await app.getHistory(failed?.id ?? "")).toEqual([]);
  });

  it("waits while another process holds the database, starts no activity meanwhile, and loses nothing", async () => {
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
    const other = new DatabaseSync(databaseFile(), { timeout: 5_000 });
    other.exec("begin immediate");
    held.open();
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(runs).toEqual([]);
    other.exec("commit");
    other.close();
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
    otherHand((database) =>
      database.exec("update romancy_instances set epoch = epoch + 1, worker_id = null, wake_at = 1"),
    );
    held.open();
    expect(await handle.result()).toBe(2);
    expect(await app.getHistory(handle.id)).toHaveLength(1);
  });

  it("tells when the database is away, and when it is back", async () => {
    const logger = recordingLogger();
    const app = await startApp({ workflows: [flow], logger });
    const exec = DatabaseSync.prototype.exec;
    let failures = 3;
    DatabaseSync.prototype.exec = function broken(this: DatabaseSync, sql: string): void {
      if (sql === "commit" && failures-- > 0) throw Object.assign(new Error("disk I/O error"), { errcode: 10 });
      exec.call(this, sql);
    };
    try {
      expect(await (await flow.start(app, "a")).result()).toBe("a again");
    } finally {
      DatabaseSync.prototype.exec = exec;
    }
    const told = logger.lines.map(({ message }) => message);
    expect(told.filter((message) => message.startsWith("A commit failed"))).toHaveLength(1);
    expect(told).toContain("The database takes commits again.");
  });
});
