/** A worker that shuts down, or is replaced by another version, leaves nothing behind and nothing is done twice. */
import { expect, it } from "vitest";
import { defineActivity, defineWorkflow, type Romancy } from "../../src/index.ts";
import { startApp, testDatabase } from "../support/apps.ts";
import { gate, until } from "../support/wait.ts";

const EACH = [0, 1, 2, 3, 4];

async function countOf(column: string): Promise<Record<string, number>> {
  const rows = await testDatabase().rows(
    `select ${column} as name, count(*) as n from romancy_instances group by ${column}`,
  );
  return Object.fromEntries(rows.map(({ name, n }) => [String(name), Number(n)]));
}

it("hands over what waits, what runs and what is due", async () => {
  const held = gate();
  /** Who executed what. */
  const trail: string[] = [];
  /** The same definitions as each of the workers has them. */
  const workflowsOf = (worker: string) => {
    const note = (name: string) =>
      defineActivity(name, (ctx) => void trail.push(`${ctx.instanceId} ${name} ${worker}`));
    const before = note("before");
    const after = note("after");
    const hold = defineActivity("hold", async (ctx) => {
      trail.push(`${ctx.instanceId} hold ${worker}`);
      await held.opened;
    });
    const sleeping = defineWorkflow("sleeping", async (ctx) => {
      await before(ctx);
      await ctx.sleep("300ms");
      await after(ctx);
    });
    const waiting = defineWorkflow("waiting", async (ctx) => {
      await before(ctx);
      await ctx.waitEvent("go", { key: ctx.instanceId });
      await after(ctx);
    });
    const running = defineWorkflow("running", async (ctx) => {
      await before(ctx);
      await hold(ctx);
      await after(ctx);
    });
    const due = defineWorkflow("due", (ctx) => after(ctx));
    return { sleeping, waiting, running, due };
  };
  const ofOne = workflowsOf("one");
  const ofTwo = workflowsOf("two");
  const start = (app: Romancy, kind: keyof typeof ofOne) =>
    Promise.all(EACH.map((n) => ofOne[kind].with({ id: `${kind}-${n}` }).start(app)));

  const one = await startApp({ workflows: Object.values(ofOne), maxConcurrentInstances: EACH.length });
  const client = await startApp({ worker: false });
  const handles = [...(await start(client, "waiting")), ...(await start(client, "sleeping"))];
  await until(async () => {
    const { waiting = 0, completed = 0 } = await countOf("status");
    return waiting + completed === 2 * EACH.length;
  });
  handles.push(...(await start(client, "running")));
  await until(() => trail.filter((line) => line.includes("hold")).length === EACH.length);
  // There is no room for these.
  handles.push(...(await start(client, "due")));
  const down = one.shutdown();
  const two = await startApp({ workflows: Object.values(ofTwo) });
  held.open();
  await down;
  expect((await countOf("worker_id"))[one.workerId]).toBeUndefined();
  for (const n of EACH) await two.sendEvent({ type: "go", source: "test", subject: `waiting-${n}`, data: null });
  await Promise.all(handles.map((handle) => handle.result()));

  const expected = EACH.flatMap((n) => [
    ...["sleeping", "waiting", "running"].flatMap((kind) => [`${kind}-${n} before one`, `${kind}-${n} after two`]),
    `running-${n} hold one`,
    `due-${n} after two`,
  ]);
  // What woke up before the shutdown may have ended where it was.
  const seen = trail.map((line) => (line.startsWith("sleeping") ? line.replace("after one", "after two") : line));
  expect(seen.toSorted()).toEqual(expected.toSorted());
});

it("leaves instances to the version that knows them, with what was recorded", async () => {
  const runs: string[] = [];
  const step = defineActivity("step", (ctx) => void runs.push(`${ctx.instanceId} ${ctx.activityId}`));
  const fresh = defineWorkflow("fresh", async (ctx) => {
    await step(ctx);
    await ctx.waitEvent("go");
    await step(ctx);
    return "done";
  });
  const old = defineWorkflow("old", (ctx) => step(ctx));
  const canary = await startApp({ workflows: [old, fresh], workerId: "canary" });
  const begun = await fresh.with({ id: "begun" }).start(canary);
  await until(async () => (await begun.status()) === "waiting");
  // The new version is taken back, and comes again later.
  const stable = await startApp({ workflows: [old], workerId: "stable" });
  await canary.shutdown();
  const client = await startApp({ worker: false });
  const pending = await fresh.with({ id: "pending" }).start(client);
  await client.sendEvent({ type: "go", source: "test", data: null }, { instanceId: "begun" });
  await (await old.with({ id: "known" }).start(client)).result();
  expect((await countOf("worker_id"))["stable"]).toBeUndefined();
  expect(runs).toEqual(["begun step:1", "known step:1"]);

  const next = await startApp({ workflows: [old, fresh], workerId: "next" });
  expect(await next.handle(fresh, "begun").result()).toBe("done");
  await until(async () => (await pending.status()) === "waiting");
  await client.sendEvent({ type: "go", source: "test", data: null }, { instanceId: "pending" });
  expect(await pending.result()).toBe("done");
  await stable.shutdown();
  expect(runs.toSorted()).toEqual(
    ["begun step:1", "begun step:2", "known step:1", "pending step:1", "pending step:2"].toSorted(),
  );
});
