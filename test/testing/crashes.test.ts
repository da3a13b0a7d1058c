/** The app dies where the test says, as by SIGKILL, and another one goes on with its database. */
import { describe, expect, it } from "vitest";
import { defineActivity, defineCompensation, defineWorkflow, TerminalError } from "../../src/index.ts";
import { type CrashPoint, crashEverywhere, type TestApp, type TestAppOptions } from "../../src/testing/index.ts";
import { start } from "./apps.ts";

const reserve = defineActivity("reserve", (_, item: string) => `RES-${item}`);
const charge = defineActivity("charge", (_, amount: number) => ({ amount }));
const order = defineWorkflow("order", async (ctx, item: string) => {
  const reservation = await reserve(ctx, item);
  await ctx.sleep("1 day");
  const { amount } = await charge(ctx, 5);
  const { data } = await ctx.waitEvent<string>("shipped", { timeout: "1 day" });
  return [reservation, amount, data];
});

async function runOrder(app: TestApp): Promise<void> {
  const handle = await order.with({ id: "ORD-1" }).start(app, "book");
  await app.untilWaiting(handle, "shipped");
  await app.sendEvent({ type: "shipped", source: "test", data: "today" }, { instanceId: "ORD-1" });
  expect(await handle.result()).toEqual(["RES-book", 5, "today"]);
}

describe("a crash", () => {
  it.each([
    ["before body", 1],
    ["after body", 2],
    ["before commit", 2],
    ["after commit", 1],
  ] as const)("%s of an activity: its body runs %i times in all", async (at, times) => {
    const app = await start({ workflows: [order] });
    const [reserved, charged] = [app.stub(reserve), app.stub(charge)];
    app.crashAt({ at, activity: charge });
    await runOrder(app);
    expect(app.crashes).toBe(1);
    expect(app.pendingCrashes).toEqual([]);
    expect(charged.calls).toHaveLength(times);
    expect(reserved.calls).toHaveLength(1);
    await app.expectHistory("ORD-1", [
      "reserve:1 completed",
      "sleep:1 started",
      "sleep:1 fired",
      "charge:1 completed",
      "wait_event:1 started",
      "wait_event:1 received",
    ]);
  });

  it("after the commit that starts an instance: it is one, also without an id of its own", async () => {
    const flow = defineWorkflow("flow", () => 1);
    const app = await start({ workflows: [flow] });
    app.crashAt({ at: "after commit", commit: 1 });
    expect(await (await flow.start(app)).result()).toBe(1);
    expect(app.crashes).toBe(1);
    expect((await app.app.listInstances()).instances).toHaveLength(1);
  });

  it("before and after the commit that takes an event: it is taken once", async () => {
    for (const at of ["before commit", "after commit"] as const) {
      const app = await start({ workflows: [order] });
      app.crashAt({ at, event: "shipped" });
      await runOrder(app);
      expect(app.crashes).toBe(1);
    }
  });

  it("at the n-th record, attempt or commit, and more than one in a run", async () => {
    const flow = defineWorkflow("flow", async (ctx) => {
      for (let n = 0; n < 5; n++) await charge(ctx, n);
    });
    const app = await start({ workflows: [flow] });
    const charged = app.stub(charge);
    app.crashAt({ at: "before commit", activity: "charge", nth: 2 });
    app.crashAt({ at: "after body", activity: "charge", nth: 4 });
    await (await flow.start(app)).result();
    expect(app.crashes).toBe(2);
    expect(charged.calls.map(({ args }) => args[0])).toEqual([0, 1, 1, 2, 2, 3, 4]);
    app.crashAt({ at: "before commit", activity: "nobody" });
    expect(app.pendingCrashes).toEqual([{ at: "before commit", activity: "nobody" }]);
  });

  it("right after another one, before the app has quite begun again", async () => {
    const app = await start({ workflows: [order] });
    for (let commit = 1; commit <= 12; commit++) app.crashAt({ at: "before commit", commit });
    const crashed = (async () => {
      for (let times = 0; times < 5; times++) await app.crash();
    })();
    await Promise.all([runOrder(app), crashed]);
    expect(app.crashes).toBeGreaterThan(10);
  });

  it("keeps what an activity has written through its session, or loses it with the record", async () => {
    const write = defineActivity("write", async (ctx) => {
      await ctx.session.query("insert into effects (n) values (1)");
    });
    const prepare = defineActivity("prepare", async (ctx) => {
      await ctx.session.query("create table effects (n integer)");
    });
    const count = defineActivity("count", async (ctx) => (await ctx.session.query("select n from effects")).length);
    const flow = defineWorkflow("flow", async (ctx) => {
      await prepare(ctx);
      await write(ctx);
      return count(ctx);
    });
    const moments: CrashPoint["at"][] = ["before body", "after body", "before commit", "after commit"];
    for (const at of moments) {
      const app = await start({ workflows: [flow] });
      app.crashAt({ at, activity: write });
      expect(await (await flow.start(app)).result()).toBe(1);
      expect(app.crashes).toBe(1);
    }
  });

  it("in the midst of compensations runs only those that are left", async () => {
    const undo = defineCompensation<[string]>("undo", () => {});
    const book = defineActivity("book", (_, what: string) => what, { compensation: undo });
    const fail = defineActivity("fail", () => Promise.reject(new TerminalError("no")));
    const flow = defineWorkflow("flow", async (ctx) => {
      await book(ctx, "a");
      await book(ctx, "b");
      await fail(ctx);
    });
    const app = await start({ workflows: [flow] });
    const undone = app.stub(undo);
    app.crashAt({ at: "after commit", activity: undo });
    const handle = await flow.start(app);
    await expect(handle.result()).rejects.toThrow("no");
    expect(undone.calls.map(({ args }) => args[0])).toEqual(["b", "a"]);
    expect((await app.operations(handle)).slice(3)).toEqual([
      "rollback started: failed",
      "book:2/compensation:1 completed",
      "book:1/compensation:1 completed",
    ]);
  });

  it("leaves no timer and no listener behind", async () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((one) => one === "Timeout").length;
    const listeners = process.listenerCount("unhandledRejection");
    const before = timers();
    const app = await start({ workflows: [order] });
    await order.start(app, "book");
    for (let times = 0; times < 3; times++) await app.crash();
    await app.shutdown();
    await new Promise((resolve) => setImmediate(resolve));
    expect(timers()).toBeLessThanOrEqual(before);
    expect(process.listenerCount("unhandledRejection")).toBe(listeners);
  });

  it("whenever the test wants it, and other code goes on", async () => {
    const app = await start({ workflows: [order] });
    const handle = await order.start(app, "book");
    await app.settle();
    const shorter = defineWorkflow("order", async (ctx, item: string) => {
      const reservation = await reserve(ctx, item);
      await ctx.sleep("1 day");
      return reservation;
    });
    const before = app.app;
    await app.crash({ workflows: [shorter] });
    expect(app.app).not.toBe(before);
    expect(await handle.result()).toBe("RES-book");
  });

  it("that no app survives is told, and hangs nobody", async () => {
    const app = await start({ workflows: [order] });
    const twin = defineWorkflow("order", () => "twin");
    await expect(app.crash({ workflows: [order, twin] })).rejects.toThrow("Two different workflows are called order");
    await app.settle();
    expect(() => app.app).toThrow("starting");
    await expect(app.sendTo("nobody", "news", null)).rejects.toThrow("Two different workflows");
  });

  it("does not reach what was sent: messages come once", async () => {
    const flow = defineWorkflow("flow", async (ctx) => {
      await ctx.subscribe("news", "broadcast");
      const news = [];
      for (let n = 0; n < 3; n++) news.push((await ctx.receive("news")).data);
      return news;
    });
    const app = await start({ workflows: [flow] });
    const handle = await flow.start(app);
    for (const news of ["a", "b", "c"]) {
      await app.untilWaiting(handle, "news");
      await app.crash();
      await app.publish("news", news);
    }
    expect(await handle.result()).toEqual(["a", "b", "c"]);
    await expect(app.sendTo(handle, "news", "d")).rejects.toThrow("completed");
  });
});

describe("crashEverywhere", () => {
  it("repeats the test with a crash before and after each commit", async () => {
    const { commits, crashes } = await crashEverywhere({ workflows: [order] }, runOrder);
    expect(commits).toBeGreaterThan(4);
    expect(crashes).toBe(2 * commits);
  });

  it("finds nothing lost or done twice in competing channels, children, sagas, groups, outbox and recur", async () => {
    const sent: unknown[] = [];
    const undo = defineCompensation<[string]>("undo", () => {});
    const book = defineActivity("book", (_, what: string) => what, { compensation: undo });
    const worker = defineWorkflow("worker", async (ctx, name: string, count: number): Promise<string[]> => {
      await ctx.subscribe("jobs", "competing");
      const { data } = await ctx.receive<string>("jobs");
      await ctx.sendEvent({ id: data, type: "done", source: "test", data });
      return count === 1 ? [name, data] : ctx.recur(name, count - 1);
    });
    const saga = defineWorkflow("saga", async (ctx) => {
      await book(ctx, "hotel");
      throw new TerminalError("full");
    });
    const family = defineWorkflow("family", async (ctx) => {
      const first = await worker.start(ctx, "first", 2);
      const failure = await saga(ctx).catch((error: unknown) => String((error as Error).cause));
      for (const job of ["a", "b"]) await ctx.publish("jobs", job);
      return [await first.result(), failure];
    });
    const options: TestAppOptions = {
      workflows: [family, worker, saga],
      outbox: { publisher: async (event) => void sent.push(event.id) },
    };
    const { crashes } = await crashEverywhere(options, async (app) => {
      sent.length = 0;
      const handle = await family.start(app);
      expect(await handle.result()).toEqual([["first", "b"], expect.stringContaining("full")]);
      await app.runUntilIdle();
      expect([...new Set(sent)]).toEqual(["a", "b"]);
    });
    expect(crashes).toBeGreaterThan(20);
  });

  it("cancels once, however often the request has to be made", async () => {
    const undone: string[] = [];
    const book = defineActivity("book", (_, what: string) => what, {
      compensation: (_ctx, what) => void undone.push(what),
    });
    const flow = defineWorkflow("flow", async (ctx) => {
      await book(ctx, "hotel");
      await ctx.waitEvent("never");
    });
    const { commits, crashes } = await crashEverywhere({ workflows: [flow] }, async (app) => {
      undone.length = 0;
      const handle = await flow.start(app);
      await app.untilWaiting(handle);
      await handle.cancel("enough");
      await expect(handle.result()).rejects.toThrow("enough");
      expect(new Set(undone)).toEqual(new Set(["hotel"]));
      expect(await handle.status()).toBe("cancelled");
    });
    expect(crashes).toBe(2 * commits);
  });

  it("tells at which crash a test fails, such as one that counts on a single run", async () => {
    const test = async (app: TestApp): Promise<void> => {
      const reserved = app.stub(reserve);
      await runOrder(app);
      expect(reserved.calls).toHaveLength(1);
    };
    await expect(crashEverywhere({ workflows: [order] }, test)).rejects.toThrow(
      /The test fails with a crash before commit 2 of \d+: /,
    );
  });
});
