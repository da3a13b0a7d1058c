/** What operators ask of a database, and do to its schema. */
import { describe, expect, it, vi } from "vitest";
import { systemClock } from "../../src/engine/clock.ts";
import {
  defineWorkflow,
  type Finding,
  MigrationRefusedError,
  type Romancy,
  SchemaVersionError,
} from "../../src/index.ts";
import { createApp, startApp, testDatabase } from "../support/apps.ts";
import { databaseKind } from "../support/database.ts";
import { until } from "../support/wait.ts";

const flow = defineWorkflow("flow", async (ctx) => {
  await ctx.waitEvent("go");
});

/** The findings of one check. */
async function findings(app: Romancy, check: string): Promise<Finding[]> {
  return (await app.diagnose()).filter((finding) => finding.check === check);
}

/** A worker of another host, whose lease ends so many milliseconds from now. */
async function addWorker(id: string, lease: number): Promise<void> {
  await testDatabase().exec(
    `insert into romancy_workers (id, incarnation, host, pid, born, lock_name, started_at, expires_at)
     values ('${id}', '${id}', 'far/boot/ns', 1, '', null, ${Date.now()}, ${Date.now() + lease})`,
  );
}

describe("listWorkers", () => {
  it("tells of those that live and those that do not, and of what they hold", async () => {
    const app = await startApp({ workflows: [flow] });
    await addWorker("dead", -100_000);
    const workers = await (await startApp({ worker: false })).listWorkers();
    const own = workers.find(({ id }) => id === app.workerId);
    expect(own).toMatchObject({ pid: process.pid, instances: 0, isAlive: true });
    expect(own?.lock).toBe(databaseKind === "sqlite" ? "none" : "held");
    expect(own?.leaseUntil.getTime()).toBeGreaterThan(own?.startedAt.getTime() ?? 0);
  });

  it("counts the instances of each", async () => {
    await createApp().migrate();
    await addWorker("far", 1_000_000);
    await addWorker("gone", -1_000_000);
    const client = await startApp({ worker: false });
    await flow.start(client);
    await flow.start(client);
    await testDatabase().exec("update romancy_instances set worker_id = 'far', status = 'running', wake_at = null");
    expect(await client.listWorkers()).toMatchObject([
      { id: "far", host: "far", lock: "none", instances: 2, isAlive: true },
      { id: "gone", instances: 0, isAlive: false },
    ]);
  });
});

describe("migrations", () => {
  it("are listed, and taken back one by one down to nothing, and made again", async () => {
    const app = createApp();
    await app.migrate();
    const all = await app.migrationStatus();
    expect(all.length).toBeGreaterThan(3);
    expect(all.every(({ status }) => status === "applied")).toBe(true);
    for (const last of all.toReversed()) {
      expect(await app.migrateDown()).toEqual({ ...last, status: "pending" });
      const pending = (await app.migrationStatus()).find(({ status }) => status === "pending");
      expect(pending?.version).toBe(last.version);
    }
    await expect(app.migrateDown()).rejects.toThrow("no migration of romancy's");
    await app.migrate();
    await app.start();
    expect((await app.listInstances()).instances).toEqual([]);
  });

  it("keep what is there, and what a status may be", async () => {
    const brief = defineWorkflow("brief", async (_ctx, name: string) => `Hello ${name}!`);
    const app = await startApp({ workflows: [flow, brief] });
    await (await brief.with({ tags: { of: "Ada" } }).start(app, "Ada")).result();
    const cancelled = await flow.start(app);
    await cancelled.cancel("no more");
    await expect(cancelled.result()).rejects.toThrow("cancelled");
    await app.shutdown();
    const everything = (): Promise<unknown[]> => testDatabase().rows("select * from romancy_instances order by id");
    const before = await everything();
    expect(before).toHaveLength(2);
    const other = createApp();
    await other.migrateDown();
    await other.migrate();
    expect(await everything()).toEqual(before);
    const nonsense = "update romancy_instances set status = 'done'";
    await expect(testDatabase().exec(nonsense)).rejects.toThrow(/check|constraint/i);
  });

  it("are not taken back while anything is under way, nor those of a newer version", async () => {
    const app = createApp();
    await app.migrate();
    const before = await app.migrationStatus();
    const client = await startApp({ worker: false });
    const handle = await flow.start(client);
    await expect(app.migrateDown()).rejects.toThrow("instances that have not ended (1)");
    const worker = await startApp({ workflows: [flow] });
    await expect(app.migrateDown()).rejects.toThrow(MigrationRefusedError);
    await handle.cancel();
    await expect(handle.result()).rejects.toThrow("cancelled");
    await expect(app.migrateDown()).rejects.toThrow("workers that are running (1)");
    await worker.shutdown();
    expect(await app.migrationStatus()).toEqual(before);
    await testDatabase().exec("insert into romancy_migrations values ('99990101000000')");
    await expect(app.migrateDown()).rejects.toThrow(SchemaVersionError);
    expect((await app.migrationStatus()).at(-1)).toEqual({
      version: "99990101000000",
      name: undefined,
      status: "unknown",
    });
  });
});

describe("diagnose", () => {
  it("finds a served database well", async () => {
    const app = await startApp({ workflows: [flow] });
    const found = await app.diagnose();
    expect(found.filter(({ status }) => status !== "ok")).toEqual([]);
    const connection = databaseKind === "sqlite" ? ["file", "journal"] : ["clock", "locks"];
    expect(found.map(({ check }) => check)).toEqual(
      expect.arrayContaining(["database", ...connection, "schema", "workers"]),
    );
    expect(found.some(({ check }) => check === "messages")).toBe(databaseKind === "postgres");
  });

  it("tells of a schema that is missing, old or newer", async () => {
    const app = createApp();
    await app.migrate();
    await app.migrateDown();
    expect(await findings(app, "schema")).toMatchObject([
      { status: "problem", message: expect.stringContaining("lacks migrations"), advice: "Run `romancy migrate`." },
    ]);
    await app.migrate();
    await testDatabase().exec("insert into romancy_migrations values ('99990101000000')");
    expect(await findings(app, "schema")).toMatchObject([
      { status: "problem", message: expect.stringContaining("99990101000000") },
    ]);
    await testDatabase().exec("delete from romancy_migrations");
    expect(await findings(app, "schema")).toMatchObject([{ message: "The database has no tables of romancy's." }]);
  });

  it("tells of workers that are dead, and of none at all", async () => {
    const app = createApp();
    await app.migrate();
    expect(await findings(app, "workers")).toMatchObject([{ status: "warning", message: "No worker runs." }]);
    await addWorker("gone", -1_000_000);
    expect(await findings(app, "workers")).toMatchObject([
      { status: "problem", message: expect.stringContaining("Dead: gone (far, pid 1, 0 instances)") },
    ]);
    await addWorker("far", 1_000_000);
    expect(await findings(app, "workers")).toMatchObject([{ status: "warning" }]);
  });

  it("tells of what nobody takes up, with and without workers", async () => {
    const client = await startApp({ worker: false });
    await flow.start(client);
    // A priority makes it due before others, and not late.
    await flow.with({ priority: 1_000 }).start(client);
    await testDatabase().exec("update romancy_instances set wake_at = wake_at - 60000 where priority = 0");
    expect(await findings(client, "due")).toMatchObject([
      {
        status: "problem",
        message: expect.stringContaining("1 instance of workflow flow"),
        advice: "Start a worker that knows flow.",
      },
    ]);
    await addWorker("far", 1_000_000);
    expect(await findings(client, "due")).toMatchObject([
      { advice: expect.stringContaining("no worker that runs knows flow") },
    ]);
  });

  it("tells of what is blocked, and of events that are not sent", async () => {
    const sender = defineWorkflow("sender", async (ctx) => {
      await ctx.sendEvent({ type: "sent" });
      await ctx.waitEvent("go");
    });
    const app = await startApp({ workflows: [sender] });
    const handle = await sender.start(app);
    await until(async () => (await handle.status()) === "waiting");
    await app.shutdown();
    const client = await startApp({ worker: false });
    await testDatabase().exec("update romancy_instances set status = 'blocked', wake_at = null");
    await testDatabase().exec("update romancy_outbox set queued_at = queued_at - 600000");
    expect(await findings(client, "blocked")).toMatchObject([{ message: "1 instance of workflow sender is blocked." }]);
    expect(await findings(client, "outbox")).toMatchObject([
      { message: expect.stringContaining("should have been sent") },
    ]);
    await testDatabase().exec("update romancy_outbox set status = 'failed'");
    expect(await findings(client, "outbox")).toMatchObject([
      { message: "1 event is failed, and not sent any more.", advice: expect.stringContaining("romancy outbox retry") },
    ]);
  });

  it.skipIf(databaseKind === "sqlite")("tells that the clocks differ", async () => {
    const app = createApp();
    await app.migrate();
    const now = Date.now();
    const clock = vi.spyOn(systemClock, "now").mockReturnValue(now - 3_600_000);
    const found = await findings(app, "clock");
    clock.mockRestore();
    expect(found).toMatchObject([
      { status: "warning", message: expect.stringMatching(/36\d{5} ms ahead of this host's/) },
    ]);
  });

  it("tells that the database cannot be opened, and makes none", async () => {
    const url = databaseKind === "sqlite" ? "/nowhere/at/all.db" : testDatabase().url.replace(/:\d+\//, ":1/");
    const [finding, ...more] = await createApp({ database: url }).diagnose();
    const message = expect.stringMatching(databaseKind === "sqlite" ? /does not exist/ : /ECONNREFUSED/);
    expect(finding).toMatchObject({ check: "database", status: "problem", message });
    expect(more).toEqual([]);
  });
});
