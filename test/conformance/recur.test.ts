import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  defineActivity,
  defineWorkflow,
  MisplacedCallError,
  ValidationError,
  type WorkflowHandle,
} from "../../src/index.ts";
import { startApp, testDatabase } from "../support/apps.ts";
import { until } from "../support/wait.ts";

async function waiting(handle: WorkflowHandle<unknown>): Promise<void> {
  await until(async () => (await handle.status()) === "waiting");
}

async function chain(): Promise<unknown[]> {
  const rows = await testDatabase().rows("select instance_id from romancy_chains order by generation");
  return rows.map((row) => row["instance_id"]);
}

const add = defineActivity("add", (_, n: number) => n + 1);

const counter = defineWorkflow("counter", async (ctx, n: number, limit: number): Promise<number> => {
  const next = await add(ctx, n);
  return next === limit ? next : ctx.recur(next, limit);
});

describe("recur", () => {
  it("goes on with the new input, and the first handle gives the last result", async () => {
    const app = await startApp({ workflows: [counter] });
    const handle = await counter.with({ tags: { of: "tests" }, priority: 3 }).start(app, 0, 5);
    expect(await handle.result()).toBe(5);
    const ids = await chain();
    expect(ids).toHaveLength(5);
    expect(ids[0]).toBe(handle.id);
    for (const [index, id] of ids.entries()) {
      const instance = await app.getInstance(String(id));
      expect(instance).toMatchObject({
        status: index < 4 ? "recurred" : "completed",
        input: [index, 5],
        tags: { of: "tests" },
        priority: 3,
        continuedFrom: ids[index - 1],
      });
      // Archived or not, a history can be read.
      expect((await app.getHistory(String(id))).map(({ kind }) => kind)).toEqual(["activity_completed"]);
    }
    const [row] = await testDatabase().rows("select count(*) as n from romancy_history");
    expect(Number(row?.["n"])).toBe(1);
    // Asked for later, and of every ancestor, too.
    for (const id of ids) expect(await app.handle(counter, String(id)).result()).toBe(5);
  });

  it("is told to who waits in another process", async () => {
    const app = await startApp({ workflows: [] });
    const client = await startApp({ worker: false });
    const handle = await counter.start(client, 0, 3);
    const result = handle.result();
    await app.shutdown();
    await startApp({ workflows: [counter] });
    expect(await result).toBe(3);
  });

  it("takes along what was sent and not received, subscriptions and groups", async () => {
    const flow = defineWorkflow(
      "flow",
      async (ctx, got: readonly unknown[]): Promise<readonly unknown[]> => {
        if (got.length === 0) {
          await ctx.subscribe("news", "broadcast");
          await ctx.subscribe("mail", "direct");
          await ctx.joinGroup("crew");
          await ctx.waitEvent("go");
          return ctx.recur([(await ctx.receive("news")).data]);
        }
        const news = await ctx.receive("news");
        const mail = await ctx.receive("mail");
        const event = await ctx.waitEvent<string>("paid");
        return [...got, news.data, mail.data, event.data, (await ctx.groupMembers("crew")).length];
      },
      { events: ["paid"] },
    );
    const app = await startApp({ workflows: [flow] });
    const handle = await flow.start(app, []);
    await waiting(handle);
    await app.publish("news", "first");
    await app.publish("news", "second");
    await app.sendEvent({ type: "paid", source: "psp", data: "paid" });
    await app.sendEvent({ type: "go", source: "test" });
    await until(async () => (await handle.status()) === "recurred");
    // To the ancestor: it reaches the one that it is now.
    await app.sendTo(handle.id, "mail", "letter");
    expect(await handle.result()).toEqual(["first", "second", "letter", "paid", 1]);
  });

  it("does not give a message twice", async () => {
    const flow = defineWorkflow("flow", async (ctx, got: readonly string[]): Promise<readonly string[]> => {
      if (got.length === 0) await ctx.subscribe("news", "broadcast");
      const { data } = await ctx.receive<string>("news");
      return got.length === 2 ? [...got, data] : ctx.recur([...got, data]);
    });
    const app = await startApp({ workflows: [flow] });
    const handle = await flow.start(app, []);
    await waiting(handle);
    for (const id of ["a", "b", "a", "b", "c"]) await app.publish("news", id, { id });
    expect(await handle.result()).toEqual(["a", "b", "c"]);
  });

  it("checks the new input", async () => {
    const flow = defineWorkflow("flow", (ctx, n: number) => (n === 0 ? ctx.recur("many") : "never"), {
      input: z.number(),
    });
    const app = await startApp({ workflows: [flow] });
    const error = await (await flow.start(app, 0)).result().catch((failure: Error) => failure.cause);
    expect(error).toBeInstanceOf(ValidationError);
    expect(await chain()).toEqual([]);
  });

  it("must be returned", async () => {
    const flow = defineWorkflow("flow", async (ctx) => {
      await ctx.recur();
      return "forgotten";
    });
    const app = await startApp({ workflows: [flow] });
    const error = await (await flow.start(app)).result().catch((failure: Error) => failure.cause);
    expect(error).toBeInstanceOf(MisplacedCallError);
  });

  it("takes along what keeps out copies of the last thousand messages, and no more", async () => {
    const flow = defineWorkflow("flow", async (ctx, round: number): Promise<string> => {
      await ctx.waitEvent("go");
      return round === 0 ? ctx.recur(1) : "done";
    });
    const app = await startApp({ workflows: [flow] });
    const handle = await flow.start(app, 0);
    await waiting(handle);
    const rows = Array.from({ length: 1_500 }, (_, n) => n + 1).map(
      (n) => `('${handle.id}', ${n}, 'old', 'f-${n}', '{"type":"old"}', '', ${Date.now()}, ${Date.now()})`,
    );
    await testDatabase().exec(`insert into romancy_inbox
      (instance_id, position, type, fingerprint, attributes, data, created_at, read_at) values ${rows.join(", ")}`);
    await testDatabase().exec("update romancy_instances set signals = 1500 where id = ?", [handle.id]);
    await app.sendEvent({ type: "go", source: "test", id: "1" });
    await until(async () => (await chain()).length === 2);
    const [row] = await testDatabase().rows("select count(*) as n from romancy_inbox where type = 'old'");
    // One of the thousand is what it went on for.
    expect(Number(row?.["n"])).toBe(999);
    await app.sendEvent({ type: "go", source: "test", id: "2" });
    expect(await handle.result()).toBe("done");
  });

  it("starts nothing when its id is started again", async () => {
    const app = await startApp({ workflows: [counter] });
    const starting = counter.with({ id: "c-1" });
    await (await starting.start(app, 0, 3)).result();
    expect(await (await starting.start(app, 0, 3)).result()).toBe(3);
    expect(await chain()).toHaveLength(3);
  });
});
