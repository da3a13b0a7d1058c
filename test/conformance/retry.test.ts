/** An operator has instances go on that have failed, or are blocked. */
import { describe, expect, it } from "vitest";
import {
  defineActivity,
  defineWorkflow,
  InstanceNotFoundError,
  InstanceNotRetryableError,
  type Romancy,
  TerminalError,
} from "../../src/index.ts";
import { startApp, testDatabase } from "../support/apps.ts";
import { gate, until } from "../support/wait.ts";

/** An activity that fails for good until it is repaired, and what has run. */
function fragile(name = "fragile") {
  const runs: string[] = [];
  let isBroken = true;
  const activity = defineActivity(name, (ctx) => {
    runs.push(`${ctx.activityId} ${ctx.attempt}`);
    if (isBroken && ctx.attempt < 2) throw new Error("once more");
    if (isBroken) throw new TerminalError("broken");
    return "done";
  });
  const repair = (): void => {
    isBroken = false;
  };
  return { activity, runs, repair };
}

async function refusal(app: Romancy, id: string): Promise<string> {
  const error: unknown = await app.retry(id).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(InstanceNotRetryableError);
  return (error as Error).message;
}

describe("a retry of a failed instance", () => {
  it("tries the activity anew that has failed, with all its attempts, and nothing else", async () => {
    const { activity, runs, repair } = fragile();
    let before = 0;
    const first = defineActivity("first", () => ++before);
    const flow = defineWorkflow("flow", async (ctx) => [await first(ctx), await activity(ctx)]);
    const app = await startApp({ workflows: [flow] });
    const handle = await flow.start(app);
    await expect(handle.result()).rejects.toThrow("broken");

    await app.retry(handle.id);
    await expect(handle.result()).rejects.toThrow("broken");
    repair();
    await app.retry(handle.id);
    expect(await handle.result()).toEqual([1, "done"]);
    expect(runs).toEqual(["fragile:1 1", "fragile:1 2", "fragile:1 1", "fragile:1 2", "fragile:1 1"]);
    const history = await app.getHistory(handle.id);
    expect(history.map(({ kind }) => kind)).toEqual([
      "activity_completed",
      "attempt_failed",
      "activity_failed",
      "retried",
      "attempt_failed",
      "activity_failed",
      "retried",
      "activity_completed",
    ]);
    expect(history[3]).toMatchObject({ withdrawn: ["fragile:1"], error: { name: "ActivityError" } });
    const { error, completedAt } = await app.getInstance(handle.id);
    expect(error).toBeUndefined();
    expect(completedAt).toBeInstanceOf(Date);
  });

  it("runs today's code, from its history", async () => {
    let runs = 0;
    const step = defineActivity("step", () => ++runs);
    const old = defineWorkflow("flow", async (ctx): Promise<unknown> => {
      await step(ctx);
      throw new TypeError("a bug");
    });
    const fixed = defineWorkflow("flow", async (ctx): Promise<unknown> => [await step(ctx), await step(ctx)]);
    const one = await startApp({ workflows: [old] });
    const { id } = await old.start(one);
    await expect(one.handle(old, id).result()).rejects.toThrow("a bug");
    await one.shutdown();
    const client = await startApp({ worker: false });
    await client.retry(id);
    expect(await client.getInstance(id)).toMatchObject({ status: "pending", completedAt: undefined });
    const two = await startApp({ workflows: [fixed] });
    expect(await two.handle(fixed, id).result()).toEqual([1, 2]);
    expect((await two.getHistory(id))[1]).toMatchObject({ kind: "retried", withdrawn: [] });
  });

  it("keeps what branches beside it have come to, also after it had failed", async () => {
    const { activity, repair } = fragile();
    const slow = gate();
    let count = 0;
    const beside = defineActivity("beside", async () => {
      await slow.opened;
      return ++count;
    });
    const flow = defineWorkflow("flow", async (ctx) => {
      const other = beside(ctx);
      const [failed] = await Promise.allSettled([activity(ctx)]);
      slow.open();
      const value = await other;
      if (failed.status === "rejected") throw failed.reason;
      return [failed.value, value];
    });
    const app = await startApp({ workflows: [flow] });
    const handle = await flow.start(app);
    await expect(handle.result()).rejects.toThrow("broken");
    repair();
    await app.retry(handle.id);
    expect(await handle.result()).toEqual(["done", 1]);
    expect(count).toBe(1);
  });

  it.each([0, 1_000])(
    "leaves out what only came of the failure, on every replay (%i parked)",
    async (maxParkedInstances) => {
      const { activity, repair } = fragile();
      const cleaned: string[] = [];
      const clean = defineActivity("clean", (_, why: string) => void cleaned.push(why));
      const flow = defineWorkflow("flow", async (ctx) => {
        try {
          await activity(ctx);
        } catch (error) {
          ctx.now();
          await clean(ctx, "failed");
          await ctx.sleep(1);
          throw error;
        }
        await ctx.waitEvent("go");
        await ctx.sleep(1);
        await clean(ctx, "done");
        return "good";
      });
      const app = await startApp({ workflows: [flow], maxParkedInstances });
      const handle = await flow.start(app);
      await expect(handle.result()).rejects.toThrow("broken");
      repair();
      await app.retry(handle.id);
      await until(async () => (await handle.status()) === "waiting");
      await app.sendEvent({ type: "go", source: "test" });
      expect(await handle.result()).toBe("good");
      expect(cleaned).toEqual(["failed", "done"]);
    },
  );

  it("is refused to all but the first of several operators", async () => {
    const { activity, repair, runs } = fragile();
    const flow = defineWorkflow("flow", (ctx) => activity(ctx));
    const app = await startApp({ workflows: [flow] });
    const handle = await flow.start(app);
    await expect(handle.result()).rejects.toThrow("broken");
    await app.shutdown();
    repair();
    const clients = await Promise.all([1, 2, 3].map(() => startApp({ worker: false })));
    const results = await Promise.allSettled(clients.map((client) => client.retry(handle.id)));
    expect(results.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected", "rejected"]);
    const worker = await startApp({ workflows: [flow] });
    expect(await worker.handle(flow, handle.id).result()).toBe("done");
    expect(runs).toHaveLength(3);
  });

  it("takes the child along that it has failed of", async () => {
    const { activity, repair, runs } = fragile();
    const child = defineWorkflow("child", (ctx) => activity(ctx));
    const parent = defineWorkflow("parent", async (ctx) => `child: ${await child(ctx)}`);
    const app = await startApp({ workflows: [parent, child] });
    const handle = await parent.start(app);
    await expect(handle.result()).rejects.toThrow("broken");
    const [first] = (await app.listInstances({ workflow: "child" })).instances;
    expect(await refusal(app, first?.id ?? "")).toContain(`its parent ${handle.id} was told of its failure`);
    repair();
    await app.retry(handle.id);
    expect(await handle.result()).toBe("child: done");
    expect(runs).toEqual(["fragile:1 1", "fragile:1 2", "fragile:1 1"]);
    expect((await app.listInstances({ workflow: "child" })).instances).toHaveLength(1);
  });

  it("tries anew what its code threw another error because of", async () => {
    const { activity, repair, runs } = fragile();
    const flow = defineWorkflow("flow", async (ctx) => {
      try {
        return await activity(ctx);
      } catch (cause) {
        throw new Error("The order was not shipped.", { cause });
      }
    });
    const app = await startApp({ workflows: [flow] });
    const handle = await flow.start(app);
    await expect(handle.result()).rejects.toThrow("not shipped");
    repair();
    await app.retry(handle.id);
    expect(await handle.result()).toBe("done");
    expect(runs).toHaveLength(3);
  });

  it("takes along a child that was awaited several times", async () => {
    const { activity, repair, runs } = fragile();
    const child = defineWorkflow("child", (ctx) => activity(ctx));
    const parent = defineWorkflow("parent", async (ctx) => {
      const handle = await child.start(ctx);
      return Promise.all([handle.result(), handle.result(), handle.result()]);
    });
    const app = await startApp({ workflows: [parent, child] });
    const handle = await parent.start(app);
    await expect(handle.result()).rejects.toThrow("broken");
    repair();
    await app.retry(handle.id);
    expect(await handle.result()).toEqual(["done", "done", "done"]);
    expect(runs).toHaveLength(3);
    expect((await app.listInstances({ workflow: "child" })).instances).toHaveLength(1);
  });

  it("runs the code once more when it threw an error of its own because of a child that cannot be retried", async () => {
    const child = defineWorkflow("child", async (ctx): Promise<void> => {
      ctx.addCompensation(() => {});
      throw new Error("undone");
    });
    let isBroken = true;
    const parent = defineWorkflow("parent", async (ctx) => {
      try {
        await child(ctx);
      } catch (cause) {
        if (isBroken) throw new Error("not without it", { cause });
      }
      return "without it";
    });
    const app = await startApp({ workflows: [parent, child] });
    const handle = await parent.start(app);
    await expect(handle.result()).rejects.toThrow("not without it");
    isBroken = false;
    await app.retry(handle.id);
    expect(await handle.result()).toBe("without it");
  });

  it("is told of a child that ended while it did not go on", async () => {
    const { activity, repair } = fragile();
    const end = gate();
    const hold = defineActivity("hold", async () => {
      await end.opened;
      return "held";
    });
    const child = defineWorkflow("child", (ctx) => hold(ctx));
    const parent = defineWorkflow("parent", (ctx) =>
      Promise.all([child.with({ id: "c".repeat(190), detached: true })(ctx), activity(ctx)]),
    );
    const app = await startApp({ workflows: [parent, child] });
    const handle = await parent.start(app);
    await expect(handle.result()).rejects.toThrow("broken");
    end.open();
    const [found] = (await app.listInstances({ workflow: "child" })).instances;
    await app.handle(child, found?.id ?? "").result();
    repair();
    await app.retry(handle.id);
    expect(await handle.result()).toEqual(["held", "done"]);
  });

  it("of a child that nobody waits for is its own", async () => {
    const { activity, repair } = fragile();
    const child = defineWorkflow("child", (ctx) => activity(ctx));
    const parent = defineWorkflow("parent", async (ctx) => (await child.with({ detached: true }).start(ctx)).id);
    const app = await startApp({ workflows: [parent, child] });
    const id = await (await parent.start(app)).result();
    const handle = app.handle(child, id);
    await expect(handle.result()).rejects.toThrow("broken");
    repair();
    await app.retry(id);
    expect(await handle.result()).toBe("done");
  });

  it("is refused where there is nothing to retry, and says what to do instead", async () => {
    const undo = defineActivity("undo", () => "x", { compensation: () => {} });
    const child = defineWorkflow("child", async (ctx) => {
      await undo(ctx);
      throw new Error("no");
    });
    const parent = defineWorkflow("parent", (ctx) => child(ctx));
    const flow = defineWorkflow("flow", async (ctx, end: string) => {
      if (end === "waits") await ctx.waitEvent("never");
      if (end === "undone") await undo(ctx);
      if (end !== "returns") throw new Error("no");
    });
    const app = await startApp({ workflows: [flow, parent, child] });
    await expect(app.retry("nobody")).rejects.toBeInstanceOf(InstanceNotFoundError);
    const good = await flow.start(app, "returns");
    await good.result();
    expect(await refusal(app, good.id)).toContain("is completed and cannot be retried: only what has failed");
    const waiting = await flow.start(app, "waits");
    await until(async () => (await waiting.status()) === "waiting");
    expect(await refusal(app, waiting.id)).toContain("is waiting and cannot be retried: it goes on by itself");
    await waiting.cancel();
    await expect(waiting.result()).rejects.toThrow("cancelled");
    expect(await refusal(app, waiting.id)).toContain("is cancelled");
    const undone = await flow.start(app, "undone");
    await expect(undone.result()).rejects.toThrow("no");
    expect(await refusal(app, undone.id)).toContain("what it had done was undone");
    const family = await parent.start(app);
    await expect(family.result()).rejects.toThrow("no");
    expect(await refusal(app, family.id)).toMatch(/its child \S+ is failed: what it had done was undone/);
  });

  it("reaches what an ancestor went on as", async () => {
    const { activity, repair } = fragile();
    const flow = defineWorkflow("flow", async (ctx, n: number): Promise<string> => {
      if (n === 0) return ctx.recur(1);
      return activity(ctx);
    });
    const app = await startApp({ workflows: [flow] });
    const handle = await flow.start(app, 0);
    await expect(handle.result()).rejects.toThrow("broken");
    repair();
    await app.retry(handle.id);
    expect(await handle.result()).toBe("done");
  });

  it("has what it heard of heard again", async () => {
    const { activity, repair } = fragile();
    const flow = defineWorkflow("flow", async (ctx) => {
      await ctx.subscribe("news", "broadcast");
      await ctx.subscribe("old", "broadcast");
      await ctx.unsubscribe("old");
      await ctx.joinGroup("crew");
      const paid = ctx.waitEvent<number>("paid");
      await activity(ctx);
      const { data: news } = await ctx.receive<string>("news");
      return [news, (await paid).data, await ctx.groupMembers("crew")];
    });
    const app = await startApp({ workflows: [flow] });
    const handle = await flow.start(app);
    await expect(handle.result()).rejects.toThrow("broken");
    repair();
    await app.retry(handle.id);
    await until(async () => (await handle.status()) === "waiting");
    const left = await testDatabase().rows("select channel from romancy_channel_subscriptions");
    expect(left).toEqual([{ channel: "news" }]);
    await app.publish("news", "hello");
    await app.sendEvent({ type: "paid", source: "test", data: 5 });
    expect(await handle.result()).toEqual(["hello", 5, [handle.id]]);
  });
});

describe("a retry of a blocked instance", () => {
  it("has it tried at once by a worker that runs already", async () => {
    let isRight = false;
    const one = defineActivity("one", () => 1);
    const two = defineActivity("two", () => 2);
    const flow = defineWorkflow("flow", async (ctx) => {
      const first = isRight ? await one(ctx) : await two(ctx);
      await ctx.waitEvent("go");
      return first;
    });
    isRight = true;
    const app = await startApp({ workflows: [flow], maxParkedInstances: 0 });
    const handle = await flow.start(app);
    await until(async () => (await handle.status()) === "waiting");
    isRight = false;
    await app.sendEvent({ type: "go", source: "test" });
    await until(async () => (await handle.status()) === "blocked");
    isRight = true;
    await app.retry(handle.id);
    expect(await handle.result()).toBe(1);
    expect((await app.getHistory(handle.id)).map(({ kind }) => kind)).toContain("retried");
  });

  it("forgives the deaths of its workers", async () => {
    const flow = defineWorkflow("flow", async () => "alive");
    const client = await startApp({ worker: false });
    const handle = await flow.start(client);
    await testDatabase().exec(
      "update romancy_instances set status = 'blocked', recoveries = 10, wake_at = null, epoch = epoch + 1",
    );
    const app = await startApp({ workflows: [flow] });
    expect((await app.getInstance(handle.id)).status).toBe("blocked");
    await client.retry(handle.id);
    expect(await app.handle(flow, handle.id).result()).toBe("alive");
  });
});
