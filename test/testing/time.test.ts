/** Time passes when the test lets it, in the order in which it would pass by itself. */
import { describe, expect, it } from "vitest";
import {
  ActivityError,
  ActivityTimeoutError,
  ChannelTimeoutError,
  defineActivity,
  defineWorkflow,
  EventTimeoutError,
  ResultTimeoutError,
  retryPolicies,
  ValidationError,
  WorkflowFailedError,
} from "../../src/index.ts";
import { StuckError, type TestApp } from "../../src/testing/index.ts";
import { start } from "./apps.ts";

const DAY = 86_400_000;
const START = Date.UTC(2026, 0, 1);

describe("a result", () => {
  it("of a month comes at once, and each day has passed on the way", async () => {
    const days: number[] = [];
    const note = defineActivity("note", (_, at: number) => void days.push(at));
    const flow = defineWorkflow("flow", async (ctx) => {
      for (let day = 0; day < 30; day++) {
        await ctx.sleep("1 day");
        await note(ctx, ctx.now());
      }
      return ctx.now();
    });
    const app = await start({ workflows: [flow] });
    const handle = await flow.start(app);
    expect(await handle.result()).toBe(START + 30 * DAY);
    expect(days).toEqual(Array.from({ length: 30 }, (_, index) => START + (index + 1) * DAY));
    expect(app.now).toBe(START + 30 * DAY);
    expect((await handle.describe()).completedAt).toEqual(new Date(app.now));
  });

  it("waits for activities that really work, while time stands still", async () => {
    const slow = defineActivity("slow", () => new Promise((resolve) => setTimeout(resolve, 30, "done")), {
      timeout: "1ms",
    });
    const flow = defineWorkflow("flow", async (ctx) => Promise.all([slow(ctx), ctx.sleep("1h")]));
    const app = await start({ workflows: [flow] });
    expect(await (await flow.start(app)).result()).toEqual(["done", undefined]);
  });

  it("can be waited for no longer than a time", async () => {
    const flow = defineWorkflow("flow", (ctx) => ctx.sleep("3 days"));
    const app = await start({ workflows: [flow] });
    const handle = await flow.start(app);
    await expect(handle.result({ timeout: "1 day" })).rejects.toThrow(ResultTimeoutError);
    expect(app.now).toBe(START + DAY);
    await handle.result({ timeout: "2 days" });
    expect(app.now).toBe(START + 3 * DAY);
  });

  it("is a failure when the workflow fails, and nothing when there is no such instance", async () => {
    const flow = defineWorkflow("flow", () => Promise.reject(new TypeError("no")));
    const app = await start({ workflows: [flow] });
    await expect((await flow.start(app)).result()).rejects.toThrow(WorkflowFailedError);
    await expect(app.handle(flow, "nobody").result()).rejects.toMatchObject({ code: "INSTANCE_NOT_FOUND" });
  });
});

describe("timers", () => {
  it("fire in the order of time, whoever set them", async () => {
    const fired: string[] = [];
    const note = defineActivity("note", (_, what: string) => void fired.push(what));
    const flow = defineWorkflow("flow", async (ctx, name: string, ...milliseconds: number[]) => {
      await Promise.all(
        milliseconds.map(async (one) => {
          await ctx.sleep(one);
          await note(ctx, `${name} ${one}`);
        }),
      );
    });
    const app = await start({ workflows: [flow], maxParkedInstances: 1 });
    const handles = [await flow.start(app, "a", 500, 100), await flow.start(app, "b", 300, 7_000_000, 200)];
    await Promise.all(handles.map((handle) => handle.result()));
    expect(fired).toEqual(["a 100", "b 200", "b 300", "a 500", "b 7000000"]);
  });

  it("of activities in memory pass too: time limits and waits between attempts", async () => {
    const attempts: number[] = [];
    const app = await start({});
    const hanging = defineActivity(
      "hanging",
      async () => {
        attempts.push(app.now - START);
        await app.sleep("1h");
      },
      {
        timeout: "30s",
        retry: { maxAttempts: 4, initialInterval: "1s", multiplier: 10, maxInterval: "1h", jitter: 0 },
      },
    );
    const flow = defineWorkflow("flow", (ctx) => hanging(ctx));
    app.app.register(flow);
    const failure = await (await flow.start(app)).result().catch((error: unknown) => error);
    expect(failure).toMatchObject({ cause: { name: "ActivityError", cause: expect.any(ActivityTimeoutError) } });
    expect((failure as Error).cause).toBeInstanceOf(ActivityError);
    const seconds = attempts.map((milliseconds) => milliseconds / 1_000);
    expect(seconds).toEqual([0, 31, 71, 201]);
  });

  it("pass for an activity that was interrupted, and is waited for because it may have to be undone", async () => {
    const undone: string[] = [];
    const slow = defineActivity("slow", () => "done", { compensation: () => void undone.push("slow") });
    const flow = defineWorkflow("flow", (ctx) => slow(ctx));
    const app = await start({ workflows: [flow] });
    app.stub(slow, async () => {
      await app.sleep("1h");
      return "late";
    });
    const handle = await flow.start(app);
    await app.advance("1m");
    await handle.cancel("enough");
    await expect(handle.result()).rejects.toThrow("was cancelled");
    expect(undone).toEqual(["slow"]);
    expect(app.now).toBe(START + 3_600_000);
  });

  it("of waits fire in their time: events, channels, children", async () => {
    const child = defineWorkflow("child", (ctx) => ctx.sleep("9 days"));
    const flow = defineWorkflow("flow", async (ctx) => {
      const began = ctx.now();
      const errors: unknown[] = [];
      const note = (error: unknown): void => void errors.push([(error as Error).name, (ctx.now() - began) / DAY]);
      await ctx.waitEvent("never", { timeout: "1 day" }).catch(note);
      await ctx.subscribe("news", "competing");
      await ctx.receive("news", { timeout: "2 days" }).catch(note);
      const handle = await child.start(ctx);
      await handle.result({ timeout: "3 days" }).catch(note);
      await handle.result();
      return [...errors, (ctx.now() - began) / DAY];
    });
    const app = await start({ workflows: [flow, child] });
    expect(await (await flow.start(app)).result()).toEqual([
      [EventTimeoutError.name, 1],
      [ChannelTimeoutError.name, 3],
      [ResultTimeoutError.name, 6],
      12,
    ]);
  });

  it("are set by the test as well: advance and setTime", async () => {
    const flow = defineWorkflow("flow", (ctx) => ctx.sleep("30 days"));
    const app = await start({ workflows: [flow], now: new Date("2030-06-01T12:00:00Z") });
    const handle = await flow.start(app);
    await app.advance("29 days");
    expect(await handle.status()).toBe("waiting");
    expect(new Date(app.now)).toEqual(new Date("2030-06-30T12:00:00Z"));
    await app.setTime(new Date("2030-07-01T11:59:59.999Z"));
    expect(await handle.status()).toBe("waiting");
    await app.advance(1);
    expect(await handle.status()).toBe("completed");
    await expect(app.setTime(START)).rejects.toThrow(ValidationError);
    await expect(app.setTime(new Date(Number.NaN))).rejects.toThrow(ValidationError);
    await expect(app.advance("soon" as "1s")).rejects.toThrow(ValidationError);
  });

  it("give the same run again: chance has a seed", async () => {
    const fail = defineActivity("fail", () => Promise.reject(new Error("no")), { retry: { maxAttempts: 5 } });
    const flow = defineWorkflow("flow", async (ctx) => {
      await fail(ctx).catch(() => {});
      return [ctx.random(), ctx.now()];
    });
    const run = async (seed: number): Promise<unknown> =>
      (await flow.start(await start({ workflows: [flow], seed }))).result();
    expect(await run(1)).toEqual(await run(1));
    expect(await run(1)).not.toEqual(await run(2));
  });
});

describe("messages that nobody takes", () => {
  it("are forgotten in their time", async () => {
    const flow = defineWorkflow("flow", async (ctx) => {
      await ctx.sleep("23 hours");
      await ctx.subscribe("jobs", "competing");
      const first = await ctx.receive("jobs", { timeout: "1h" }).then(
        ({ data }) => data,
        () => "nothing",
      );
      await ctx.unsubscribe("jobs");
      return first;
    });
    const run = async (messageRetention: "22h" | "24h"): Promise<unknown> => {
      const app = await start({ workflows: [flow], messageRetention });
      await app.publish("jobs", "kept");
      return (await flow.start(app)).result();
    };
    expect(await run("24h")).toBe("kept");
    expect(await run("22h")).toBe("nothing");
  });
});

describe("events for brokers", () => {
  it("are tried again in their time", async () => {
    const tries: number[] = [];
    const flow = defineWorkflow("flow", async (ctx) => {
      await ctx.sleep("3650 days");
      await ctx.sendEvent({ type: "done", source: "test", data: null });
    });
    const app: TestApp = await start({
      workflows: [flow],
      outbox: {
        publisher: async () => {
          tries.push(app.now - START);
          if (tries.length < 3) throw new Error("not yet");
        },
        retry: { initialInterval: "1h", multiplier: 2, maxInterval: "1 day", jitter: 0 },
      },
    });
    await (await flow.start(app)).result();
    await app.runUntilIdle();
    const hours = tries.map((time) => (time - 3_650 * DAY) / 3_600_000);
    expect(hours).toEqual([0, 1, 3]);
  });
});

describe("a wait for what only the test can send", () => {
  const flow = defineWorkflow("flow", async (ctx) => {
    await ctx.sleep("1 day");
    const { data } = await ctx.waitEvent<string>("paid", { key: "ORD-1", timeout: "3 days" });
    await ctx.subscribe("news", "broadcast");
    const message = await ctx.receive<string>("news");
    return [data, message.data, ctx.now() - START];
  });

  it("is come to, and nothing of its time limit is used up", async () => {
    const app = await start({ workflows: [flow] });
    const handle = await flow.start(app);
    await app.untilWaiting(handle, "paid");
    expect(app.now).toBe(START + DAY);
    await app.sendEvent({ type: "paid", source: "test", subject: "ORD-1", data: "yes" });
    await app.untilWaiting(handle.id);
    await app.publish("news", "good");
    expect(await handle.result()).toEqual(["yes", "good", DAY]);
    await expect(app.untilWaiting(handle)).rejects.toThrow(`Instance ${handle.id} of flow is completed.`);
  });

  it("does not hang who waits for the result: it is said what it waits for", async () => {
    const app = await start({ workflows: [flow] });
    const handle = await flow.start(app);
    await app.untilWaiting(handle);
    await app.sendEvent({ type: "paid", source: "test", subject: "ORD-1", data: "yes" });
    const stuck = await handle.result().catch((error: unknown) => error);
    expect(stuck).toBeInstanceOf(StuckError);
    expect((stuck as Error).message).toContain("waits for a message of channel news, without a time limit (receive:1)");
    await expect(app.untilWaiting(handle, "other")).rejects.toThrow("comes to no wait for other");
    await app.runUntilIdle();
    await app.publish("news", "late");
    expect(await handle.result()).toMatchObject(["yes", "late", expect.any(Number)]);
  });

  it("is told of children, of blocked instances, of code that awaits something else, and of what nobody runs", async () => {
    const child = defineWorkflow("child", (ctx) => ctx.waitEvent(["a", "b"], { key: "k" }));
    const parent = defineWorkflow("parent", async (ctx) => void (await child.with({ id: "c-1" })(ctx)));
    const lost = defineWorkflow("lost", () => new Promise(() => {}));
    const old = defineWorkflow("changed", (ctx) => ctx.sleep("1h"));
    const changed = defineWorkflow("changed", async (ctx) => void (await ctx.waitEvent("other")));
    const app = await start({ workflows: [parent, child, lost, old] });
    const messageOf = async (handle: { result(): Promise<unknown> }): Promise<string> =>
      handle.result().then(
        () => "a result",
        (error: unknown) => (error instanceof StuckError ? error.message : String(error)),
      );
    const family = await parent.start(app);
    expect(await messageOf(family)).toMatch(/waits for its child c-1, .* waits for the event a or b with the key k/);
    expect(await messageOf(await lost.start(app))).toContain("awaits something that is not durable");
    const blocked = await old.start(app);
    await app.settle();
    await app.restart({ workflows: [changed] });
    expect(await messageOf(app.handle(changed, blocked))).toContain("is blocked: The workflow no longer follows");
    expect(await messageOf(app.handle(parent, family))).toContain("c-1");
  });

  it("ends when workflows keep each other going for ever", { timeout: 60_000 }, async () => {
    const eternal = defineWorkflow("eternal", async (ctx) => {
      for (let round = 0; round < 50; round++) await ctx.sleep("1h");
    });
    const app = await start({ workflows: [eternal], defaultRetryPolicy: retryPolicies.none });
    await eternal.start(app);
    await app.runUntilIdle();
    expect(app.now).toBe(START + 50 * 3_600_000);
  });
});
