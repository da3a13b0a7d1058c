/** What has ended long ago is removed, all of it, and nothing else. */
import { describe, expect, it, vi } from "vitest";
import { Housekeeping } from "../../src/engine/housekeeping.ts";
import { sweep } from "../../src/engine/operating/retention.ts";
import { type RetentionOptions, resolveRetention } from "../../src/engine/operating/retention-options.ts";
import {
  type Duration,
  defineWorkflow,
  InstanceNotFoundError,
  type PruneOptions,
  type Romancy,
  type RomancyOptions,
  ValidationError,
} from "../../src/index.ts";
import { openStore } from "../store/stores.ts";
import { createApp, startApp, testDatabase } from "../support/apps.ts";
import { until } from "../support/wait.ts";

const DAY = 86_400_000;

const flow = defineWorkflow("flow", async (ctx, n: number) => {
  await ctx.sendEvent({ type: "done", source: "test", data: n });
  return n;
});
const failing = defineWorkflow("failing", () => Promise.reject(new Error("no")));
const waiting = defineWorkflow("waiting", async (ctx) => (await ctx.waitEvent<string>("go")).data);

const TABLES = [
  "history",
  "history_archive",
  "inbox",
  "subscriptions",
  "channel_subscriptions",
  "groups",
  "chains",
] as const;

async function idsIn(table: string, column = "instance_id"): Promise<string[]> {
  const rows = await testDatabase().rows(`select distinct ${column} as id from romancy_${table}`);
  return rows.map(({ id }) => String(id)).toSorted();
}

const instances = (): Promise<string[]> => idsIn("instances", "id");

/** All that there is, as if it were so much older. */
async function age(by: number, where = "1 = 1"): Promise<void> {
  const columns = ["created_at", "updated_at", "completed_at"].map((column) => `${column} = ${column} - ${by}`);
  await testDatabase().exec(`update romancy_instances set ${columns.join(", ")} where ${where}`);
}

/** What a worker removes now and then. */
async function swept(options: RetentionOptions): Promise<string[]> {
  const { store } = await openStore();
  await sweep(store.retention, resolveRetention(options), await store.time(), new AbortController().signal);
  return instances();
}

async function endedApp(options: Partial<RomancyOptions> = {}): Promise<Romancy> {
  const app = await startApp({ workflows: [flow, failing, waiting], ...options });
  for (const id of ["a", "b"]) await (await flow.with({ id }).start(app, 1)).result();
  await (await failing.with({ id: "c" }).start(app)).result().catch(() => {});
  await waiting.with({ id: "d" }).start(app);
  await until(async () => (await app.getInstance("d")).status === "waiting");
  return app;
}

describe("prune", () => {
  it("removes what ended before, with all that was kept of it", async () => {
    const app = await endedApp();
    await age(2 * DAY, "id <> 'b'");
    const counted = await app.prune({ olderThan: "1 day", dryRun: true });
    expect(counted).toEqual({ instances: 2, trees: 2 });
    expect(await instances()).toEqual(["a", "b", "c", "d"]);
    expect(await app.prune({ olderThan: "1 day" })).toEqual(counted);
    expect(await instances()).toEqual(["b", "d"]);
    for (const table of TABLES) {
      for (const id of ["a", "c"]) expect(await idsIn(table)).not.toContain(id);
    }
    expect(await idsIn("history")).toEqual(["b", "d"]);
    // Its event has not been sent yet.
    expect(await idsIn("outbox")).toEqual(["a", "b"]);
    await app.sendEvent({ type: "go", source: "test", data: "on" });
    expect(await app.handle(waiting, "d").result()).toBe("on");
  });

  it("makes its ids free", async () => {
    const app = await endedApp();
    await app.prune({ olderThan: 0 });
    await until(async () => (await app.prune({ olderThan: 0 })).instances === 0 && (await instances()).length === 1);
    for (const look of [app.handle(flow, "a").result(), app.getInstance("a"), app.getHistory("a"), app.cancel("a")]) {
      await expect(look).rejects.toThrow(InstanceNotFoundError);
    }
    const again = await flow.with({ id: "a" }).start(app, 2);
    expect(await again.result()).toBe(2);
    expect((await app.getInstance("a")).input).toEqual([2]);
  });

  it("can be of workflows, statuses, and so many", async () => {
    const app = await endedApp();
    await age(DAY);
    const prune = (options: Partial<PruneOptions>): Promise<unknown> => app.prune({ olderThan: "1h", ...options });
    expect(await prune({ workflow: ["waiting", "nobody"] })).toEqual({ instances: 0, trees: 0 });
    expect(await prune({ status: "cancelled" })).toEqual({ instances: 0, trees: 0 });
    expect(await prune({ workflow: "flow", status: ["failed"] })).toEqual({ instances: 0, trees: 0 });
    expect(await prune({ status: ["completed", "failed"], dryRun: true, limit: 2 })).toEqual({
      instances: 2,
      trees: 2,
    });
    expect(await prune({ workflow: "flow", limit: 1 })).toEqual({ instances: 1, trees: 1 });
    expect(await prune({ status: "failed" })).toEqual({ instances: 1, trees: 1 });
    expect((await instances()).length).toBe(2);
  });

  it("refuses what makes no sense, and removes nothing", async () => {
    const app = await endedApp();
    await age(DAY);
    const wrong: readonly object[] = [
      {},
      { olderThan: "soon" },
      { olderThan: -1 },
      { olderThan: 1, workflows: "flow" },
      { olderThan: 1, workflow: [] },
      { olderThan: 1, status: "running" },
      { olderThan: 1, status: "recurred" },
      { olderThan: 1, limit: 0 },
    ];
    for (const options of wrong) {
      await expect(app.prune(options as PruneOptions), JSON.stringify(options)).rejects.toThrow(ValidationError);
    }
    expect(await instances()).toEqual(["a", "b", "c", "d"]);
  });
});

describe("a tree", () => {
  const leaf = defineWorkflow("leaf", async (ctx, waits: boolean) => {
    if (waits) await ctx.waitEvent("go");
    return 1;
  });
  const child = defineWorkflow("child", async (ctx, name: string, waits: boolean) =>
    leaf.with({ id: `leaf-${name}` })(ctx, waits),
  );
  const parent = defineWorkflow("parent", async (ctx, name: string, waits: boolean) => {
    await child.with({ id: `child-${name}` })(ctx, name, waits);
    return "done";
  });
  const starter = defineWorkflow("starter", async (ctx, name: string, waits: boolean) => {
    await leaf.with({ id: `loose-${name}`, detached: true }).start(ctx, waits);
    return "done";
  });
  const looping = defineWorkflow("looping", async (ctx, rest: number, waits: boolean): Promise<unknown> => {
    await leaf.with({ id: `leaf-${waits ? "live" : "old"}-${rest}` })(ctx, false);
    if (rest > 0) return ctx.recur(rest - 1, waits);
    if (waits) await ctx.waitEvent("go");
    return "done";
  });
  const workflows = [leaf, child, parent, starter, looping];

  it("goes as a whole, when all of it has ended", async () => {
    const app = await startApp({ workflows });
    expect(await (await parent.with({ id: "old" }).start(app, "old", false)).result()).toBe("done");
    expect(await (await starter.with({ id: "loosened" }).start(app, "old", false)).result()).toBe("done");
    await app.handle(leaf, "loose-old").result();
    await age(DAY);
    expect(await app.prune({ olderThan: "1h", dryRun: true })).toEqual({ instances: 5, trees: 2 });
    expect(await app.prune({ olderThan: "1h", workflow: ["leaf", "child"] })).toEqual({ instances: 0, trees: 0 });
    expect(await app.prune({ olderThan: "1h" })).toEqual({ instances: 5, trees: 2 });
    expect(await instances()).toEqual([]);
  });

  it("stays as long as a parent, a child or what one went on as lives", async () => {
    const app = await startApp({ workflows });
    await parent.with({ id: "live" }).start(app, "live", true);
    await (await starter.with({ id: "loosened" }).start(app, "live", true)).result();
    await looping.with({ id: "loop-live" }).start(app, 2, true);
    // All three that wait for the event.
    await until(async () => (await idsIn("subscriptions")).length === 3);
    const before = await instances();
    await age(DAY);
    expect(await app.prune({ olderThan: "1h" })).toEqual({ instances: 0, trees: 0 });
    expect(await instances()).toEqual(before);
    await app.sendEvent({ type: "go", source: "test", data: 1 });
    for (const id of ["live", "loose-live", "loop-live"]) await app.handle(leaf, id).result();
    // What ended a moment ago keeps what ended long ago.
    expect(await app.prune({ olderThan: "1h" })).toEqual({ instances: 0, trees: 0 });
    await age(DAY);
    await app.prune({ olderThan: "1h" });
    expect(await instances()).toEqual([]);
  });

  it("of a chain has the status of the last, and goes with archives and all", async () => {
    const app = await startApp({ workflows });
    await (await looping.with({ id: "loop" }).start(app, 3, false)).result();
    await age(DAY);
    expect(await idsIn("history_archive")).toHaveLength(3);
    expect(await app.prune({ olderThan: "1h", status: "failed" })).toEqual({ instances: 0, trees: 0 });
    expect(await app.prune({ olderThan: "1h", status: "completed" })).toEqual({ instances: 8, trees: 1 });
    for (const table of TABLES) expect(await idsIn(table)).toEqual([]);
    await expect(app.handle(looping, "loop").result()).rejects.toThrow(InstanceNotFoundError);
  });

  it("that is being taken up again by somebody is left alone", async () => {
    const app = await startApp({ workflows });
    await (await parent.with({ id: "old" }).start(app, "old", false)).result();
    await age(DAY);
    await testDatabase().exec(
      "update romancy_instances set completed_at = null, status = 'waiting' where id = 'leaf-old'",
    );
    const { store } = await openStore();
    expect(await store.retention.remove(["old"], Date.now())).toEqual({ instances: 0, trees: [], left: [] });
    expect(await instances()).toHaveLength(3);
  });
});

/** Trees as if made long ago, without running anything: roots with members, and histories. */
async function insertTrees(trees: readonly string[], members: number, events = 1): Promise<void> {
  const rows = trees.flatMap((root) => [
    [root, null, root],
    ...Array.from({ length: members }, (_, n) => [`${root}-${n}`, root, root]),
  ]);
  for (let first = 0; first < rows.length; first += 500) {
    const part = rows.slice(first, first + 500);
    await testDatabase().rows(
      `insert into romancy_instances (id, parent_id, root_id, workflow, status, input, created_at, updated_at, completed_at)
       values ${part.map(() => "(?, ?, ?, 'bulk', 'completed', '[]', 1, 1, 1)").join(", ")}`,
      part.flat(),
    );
    const history = part.flatMap(([id]) => Array.from({ length: events }, (_, n) => [id, n + 1] as const));
    await testDatabase().rows(
      `insert into romancy_history (instance_id, seq, kind, operation_id, data, at)
       values ${history.map(() => "(?, ?, 'timer_fired', 'x', null, 1)").join(", ")}`,
      history.flatMap(([id, seq]) => [id as string, seq]),
    );
  }
}

const named = (count: number, name: string): string[] => Array.from({ length: count }, (_, n) => `${name}${n}`);

describe("many", () => {
  it("go in transactions of bounded size, and a large tree bit by bit, its first instance last", async () => {
    const { store } = await openStore();
    await insertTrees(["huge"], 1_200);
    const first = await store.retention.remove(["huge"], 2);
    expect(first).toEqual({ instances: 500, trees: [], left: ["huge"] });
    // A crash would come here: what is left is found again.
    expect(await instances()).toContain("huge");
    expect(await swept({ workflows: { bulk: "1h" } })).toEqual([]);
    expect(await idsIn("history")).toEqual([]);
    await insertTrees(["one", "two", "three"], 1, 1_500);
    const some = await store.retention.remove(["one", "two", "three"], 2);
    expect(some.left.length).toBeGreaterThan(0);
    expect(some.trees.length + some.left.length).toBe(3);
    expect(await swept({ instances: "1h" })).toEqual([]);
  });

  it("are removed once by several at once, while others start and end", async () => {
    const apps = [
      await startApp({ workflows: [flow] }),
      await startApp({ workflows: [flow] }),
      createApp({ worker: false }),
    ];
    await apps[2]?.start();
    await insertTrees(named(300, "t"), 1);
    const starts = Promise.all(
      named(60, "n").map(async (id, n) => (await flow.with({ id }).start(apps[n % 2] as Romancy, n)).result()),
    );
    // Ids that are pruned at this moment are started again: each is there afterwards, the old one or a new one.
    const again = Promise.all(named(20, "again").map(async (id) => flow.with({ id }).start(apps[0] as Romancy, 1)));
    const pruned = await Promise.all(apps.map((app) => app.prune({ olderThan: "1h" })));
    const sum = pruned.reduce((total, { instances: n }) => total + n, 0);
    // Who came to rows that another held has left them to it.
    expect(sum).toBe(600);
    expect(await starts).toEqual(named(60, "").map(Number));
    await again;
    expect(await instances()).toEqual([...named(60, "n"), ...named(20, "again")].toSorted());
  });

  it("that start anew while they are pruned are there afterwards", async () => {
    const app = await startApp({ workflows: [flow] });
    for (let round = 0; round < 5; round++) {
      const ids = named(20, "x");
      await Promise.all(ids.map(async (id) => (await flow.with({ id }).start(app, 1)).result()));
      await age(DAY);
      const [handles] = await Promise.all([
        Promise.all(ids.map((id) => flow.with({ id }).start(app, 1))),
        app.prune({ olderThan: "1h" }),
      ]);
      // A start that found the old one got its handle; it may be gone since.
      for (const handle of handles) {
        const result = await handle.result().catch((error: unknown) => error);
        if (result !== 1) expect(result).toBeInstanceOf(InstanceNotFoundError);
      }
      await Promise.all(ids.map(async (id) => (await flow.with({ id }).start(app, 1)).result()));
      expect(await instances()).toEqual(ids.toSorted());
    }
  });
});

describe("the option retention", () => {
  it("removes nothing unless it says so", async () => {
    await endedApp();
    await age(1_000 * DAY);
    expect(await swept({})).toEqual(["a", "b", "c", "d"]);
  });

  it("has an age for all, and others for workflows", async () => {
    await endedApp();
    await age(10 * DAY);
    expect(await swept({ workflows: { failing: "11 days", nobody: "1 day" } })).toEqual(["a", "b", "c", "d"]);
    expect(await swept({ instances: "5 days", workflows: { flow: false, failing: "11 days" } })).toHaveLength(4);
    expect(await swept({ workflows: { failing: "9 days" } })).toEqual(["a", "b", "d"]);
    expect(await swept({ instances: "9 days" })).toEqual(["d"]);
  });

  it("is what workers look after now and then", async () => {
    const started = vi.spyOn(Housekeeping.prototype, "start");
    await endedApp({ retention: { workflows: { flow: "1h" } } });
    await age(DAY);
    await (started.mock.contexts[0] as Housekeeping).sweep();
    expect(await instances()).toEqual(["c", "d"]);
    started.mockRestore();
  });

  it("is for events that were given up, too", async () => {
    const app = await endedApp();
    await testDatabase().exec("update romancy_outbox set status = 'failed', next_at = 1 where instance_id = 'a'");
    await swept({ instances: "1 day" });
    expect(await idsIn("outbox")).toEqual(["a", "b"]);
    await swept({ givenUpEvents: "1 day" });
    expect((await app.outbox.list()).events.map(({ instanceId }) => instanceId)).toEqual(["b"]);
  });

  it("must make sense", () => {
    const wrong: readonly object[] = [
      { instances: "soon" },
      { instance: "1 day" },
      { workflows: { flow: true } },
      { workflows: "flow" },
      { givenUpEvents: -1 },
      { takenMessages: false },
    ];
    for (const retention of wrong) {
      expect(() => createApp({ retention: retention as { instances: Duration } }), JSON.stringify(retention)).toThrow(
        ValidationError,
      );
    }
  });
});
