/** A cancel counts from the moment at which it is durable, wherever it comes from and whatever the instance does. */
import { describe, expect, it } from "vitest";
import {
  CancelledError,
  defineActivity,
  defineWorkflow,
  InstanceFinishedError,
  InstanceNotCancellableError,
  InstanceNotFoundError,
  retryPolicies,
} from "../../src/index.ts";
import { holdDatabase, startApp } from "../support/apps.ts";
import { failureOf, step, trail } from "../support/trail.ts";
import { gate, until } from "../support/wait.ts";

const waits = defineWorkflow("waits", async (ctx) => {
  await step(ctx, "a");
  try {
    await ctx.waitEvent("never");
  } catch (error) {
    trail.push(`caught ${(error as Error).name}`);
    throw error;
  } finally {
    trail.push("finally");
  }
});

async function isWaiting(app: Awaited<ReturnType<typeof startApp>>, id: string): Promise<void> {
  await until(async () => (await app.getInstance(id)).status === "waiting");
}

describe("cancel", () => {
  it("ends an instance that waits: what it waits for rejects, and what it has done is undone", async () => {
    const app = await startApp({ workflows: [waits] });
    const handle = await waits.start(app);
    await isWaiting(app, handle.id);
    await handle.cancel("changed my mind");
    const error = await failureOf(handle.result());
    expect(error).toMatchObject({ name: "WorkflowFailedError", compensationErrors: [] });
    expect(error.cause).toBeInstanceOf(CancelledError);
    expect(error.cause).toMatchObject({ reason: "changed my mind", instanceId: handle.id });
    expect(trail).toEqual(["do a", "caught CancelledError", "finally", "undo a"]);
    expect(await handle.describe()).toMatchObject({ status: "cancelled", cancelReason: "changed my mind" });
    expect((await handle.describe()).cancelRequestedAt).toBeInstanceOf(Date);
    const kinds = (await app.getHistory(handle.id)).map(({ kind }) => kind);
    expect(kinds).toEqual([
      "activity_completed",
      "wait_started",
      "cancel_requested",
      "rollback_started",
      "compensation_completed",
    ]);
  });

  it("ends one that runs: the signals abort, and what the activity comes to is not waited for", async () => {
    const begun = gate();
    const aborted: unknown[] = [];
    const long = defineActivity("long", async (ctx) => {
      ctx.signal.addEventListener("abort", () => aborted.push(ctx.signal.reason));
      begun.open();
      await new Promise(() => {});
    });
    const flow = defineWorkflow("flow", async (ctx) => {
      ctx.signal.addEventListener("abort", () => aborted.push(ctx.signal.reason));
      await step(ctx, "a");
      await long(ctx);
    });
    const app = await startApp({ workflows: [flow] });
    const handle = await flow.start(app);
    await begun.opened;
    await app.cancel(handle.id);
    expect((await failureOf(handle.result())).cause).toMatchObject({ name: "CancelledError", reason: undefined });
    expect(aborted).toHaveLength(2);
    for (const reason of aborted) expect(reason).toBeInstanceOf(CancelledError);
    expect(trail).toEqual(["do a", "undo a"]);
  });

  it("undoes an activity that ended in spite of it", async () => {
    const begun = gate();
    const stubborn = defineActivity(
      "stubborn",
      async (ctx) => {
        begun.open();
        await new Promise((resolve) => ctx.signal.addEventListener("abort", resolve));
        return "done";
      },
      { compensation: (ctx) => void trail.push(`undo ${ctx.result}`) },
    );
    const flow = defineWorkflow("flow", async (ctx) => stubborn(ctx));
    const app = await startApp({ workflows: [flow] });
    const handle = await flow.start(app);
    await begun.opened;
    await handle.cancel();
    await failureOf(handle.result());
    expect(trail).toEqual(["undo done"]);
  });

  it("is not lost when the code ends at that moment", async () => {
    const begun = gate();
    const go = gate();
    const last = defineActivity(
      "last",
      async () => {
        begun.open();
        await go.opened;
        trail.push("do last");
        return "done";
      },
      { compensation: (ctx) => void trail.push(`undo ${ctx.result}`) },
    );
    const flow = defineWorkflow("flow", async (ctx) => last(ctx));
    const app = await startApp({ workflows: [flow] });
    const handle = await flow.start(app);
    await begun.opened;
    const hold = await holdDatabase();
    // The end and the cancel are waiting for the database together, in either order.
    go.open();
    await until(() => trail.length === 1);
    const cancelled = handle.cancel("now").then(
      () => true,
      (error: unknown) => {
        expect(error).toBeInstanceOf(InstanceNotCancellableError);
        return false;
      },
    );
    await hold.release();
    const wasCancelled = await cancelled;
    if (wasCancelled) await failureOf(handle.result());
    else expect(await handle.result()).toBe("done");
    expect(await handle.status()).toBe(wasCancelled ? "cancelled" : "completed");
    expect(trail).toEqual(wasCancelled ? ["do last", "undo done"] : ["do last"]);
  });

  it("ends one that sleeps, is put off, or was never begun", async () => {
    const failing = defineActivity(
      "failing",
      () => {
        throw new Error("later");
      },
      { retry: retryPolicies.fixed(2, "1 hour") },
    );
    const sleeps = defineWorkflow("sleeps", (ctx) => ctx.sleep("1 day"));
    const retries = defineWorkflow("retries", (ctx) => failing(ctx));
    const client = await startApp({ worker: false });
    const never = await waits.start(client);
    await never.cancel();
    const app = await startApp({ workflows: [sleeps, retries, waits] });
    const handles = [await sleeps.start(app), await retries.start(app)];
    for (const { id } of handles) await isWaiting(app, id);
    for (const handle of handles) await handle.cancel();
    for (const handle of [never, ...handles]) {
      await failureOf(handle.result());
      expect(await handle.status()).toBe("cancelled");
    }
    // What was never begun is not begun.
    expect(trail).toEqual([]);
    expect(await app.getHistory(never.id)).toEqual([]);
  });

  it("comes from another process, from one without a worker, and counts while no worker is there", async () => {
    const one = await startApp({ workflows: [waits] });
    const { id } = await waits.start(one);
    await isWaiting(one, id);
    await one.shutdown();
    const client = await startApp({ worker: false });
    await client.cancel(id, "from afar");
    expect((await client.getInstance(id)).cancelReason).toBe("from afar");
    const two = await startApp({ workflows: [waits] });
    expect((await failureOf(client.handle(waits, id).result())).cause).toMatchObject({ reason: "from afar" });
    expect(trail).toEqual(["do a", "caught CancelledError", "finally", "undo a"]);
    await two.shutdown();
  });

  it("changes nothing the second time, and the first reason stays", async () => {
    const app = await startApp({ workflows: [waits] });
    const handle = await waits.start(app);
    await isWaiting(app, handle.id);
    await Promise.all([handle.cancel("first"), handle.cancel("second")]);
    await handle.cancel("third");
    await failureOf(handle.result());
    await handle.cancel("fourth");
    expect((await handle.describe()).cancelReason).toBe("first");
    expect(trail).toEqual(["do a", "caught CancelledError", "finally", "undo a"]);
  });

  it("is refused when the instance has ended, has failed, or does not exist", async () => {
    const quick = defineWorkflow("quick", () => "done");
    const failing = defineWorkflow("failing", () => {
      throw new Error("no");
    });
    const app = await startApp({ workflows: [quick, failing] });
    const done = await quick.start(app);
    await done.result();
    await expect(done.cancel()).rejects.toBeInstanceOf(InstanceNotCancellableError);
    await expect(done.cancel()).rejects.toMatchObject({ status: "completed" });
    const failed = await failing.start(app);
    await failureOf(failed.result());
    await expect(failed.cancel()).rejects.toMatchObject({ status: "failed" });
    await expect(app.cancel("nobody")).rejects.toBeInstanceOf(InstanceNotFoundError);
    await expect(app.cancel(done.id, 7 as never)).rejects.toMatchObject({ code: "VALIDATION" });
    expect(await done.status()).toBe("completed");
    expect((await done.describe()).cancelRequestedAt).toBeUndefined();
  });

  it("is refused while what a failed workflow has done is being undone, and changes nothing then", async () => {
    const begun = gate();
    const go = gate();
    const undone = defineActivity("undone", () => "x", {
      compensation: async () => {
        begun.open();
        await go.opened;
      },
    });
    const flow = defineWorkflow("flow", async (ctx) => {
      await undone(ctx);
      throw new Error("no");
    });
    const app = await startApp({ workflows: [flow] });
    const handle = await flow.start(app);
    await begun.opened;
    await until(async () => (await handle.status()) === "compensating");
    await expect(handle.cancel()).rejects.toMatchObject({ status: "compensating" });
    go.open();
    expect((await failureOf(handle.result())).cause).toMatchObject({ message: "no" });
    expect(await handle.status()).toBe("failed");
  });

  it("counts more than what the code makes of it", async () => {
    const deaf = defineWorkflow("deaf", async (ctx) => {
      await step(ctx, "a");
      await ctx.sleep("1 day").catch(() => {});
      await step(ctx, "b").catch((error: Error) => trail.push(error.name));
      return "all is well";
    });
    const broken = defineWorkflow("broken", async (ctx) => {
      await ctx.sleep("1 day").catch(() => {
        throw new Error("while cleaning up");
      });
    });
    const app = await startApp({ workflows: [deaf, broken] });
    const [one, two] = [await deaf.start(app), await broken.start(app)];
    for (const { id } of [one, two]) await isWaiting(app, id);
    for (const handle of [one, two]) await handle.cancel();
    await failureOf(one.result());
    expect(await one.status()).toBe("cancelled");
    expect(trail).toEqual(["do a", "CancelledError", "undo a"]);
    expect((await failureOf(two.result())).cause).toMatchObject({
      name: "CancelledError",
      cause: { message: "while cleaning up" },
    });
  });

  it("ends code that goes on asking", async () => {
    const endless = defineWorkflow("endless", async (ctx) => {
      for (;;) await ctx.sleep("1 day").catch(() => trail.push("again"));
    });
    const app = await startApp({ workflows: [endless] });
    const handle = await endless.start(app);
    await isWaiting(app, handle.id);
    await handle.cancel();
    await failureOf(handle.result());
    expect(await handle.status()).toBe("cancelled");
    expect(trail.length).toBeGreaterThan(100);
  });

  it("reaches what the instance went on as", async () => {
    const chain = defineWorkflow("chain", async (ctx, n: number): Promise<unknown> => {
      if (n < 3) return ctx.recur(n + 1);
      return ctx.waitEvent("never");
    });
    const app = await startApp({ workflows: [chain] });
    const handle = await chain.start(app, 0);
    const isThere = async (): Promise<boolean> =>
      (await app.listInstances({ status: "waiting" })).instances.length === 1;
    await until(isThere);
    await handle.cancel("the last");
    expect((await failureOf(handle.result())).cause).toMatchObject({ reason: "the last" });
    expect(await handle.status()).toBe("recurred");
  });

  it("lets a blocked instance go", async () => {
    const one = await startApp({ workflows: [waits] });
    const { id } = await waits.start(one);
    await isWaiting(one, id);
    await one.shutdown();
    const other = defineWorkflow("waits", async (ctx) => {
      await ctx.sleep(1);
      await step(ctx, "b");
    });
    const two = await startApp({ workflows: [other] });
    await two.sendEvent({ type: "never", source: "test" });
    await until(async () => (await two.getInstance(id)).status === "blocked");
    await two.cancel(id, "never mind");
    const error = await failureOf(two.handle(other, id).result());
    expect(error.cause).toMatchObject({ name: "CancelledError", cause: { code: "NON_DETERMINISM" } });
    expect(error.compensationErrors).toHaveLength(1);
    await two.shutdown();
    // With its code there again, what it has done can be undone.
    const three = await startApp({ workflows: [waits] });
    await three.retryCompensations(id);
    expect(await failureOf(three.handle(waits, id).result())).toMatchObject({ compensationErrors: [] });
    expect(trail).toEqual(["do a", "caught CancelledError", "finally", "undo a"]);
    expect((await three.getInstance(id)).status).toBe("cancelled");
  });
});

describe("ctx.cleanup", () => {
  it("goes on though the instance is cancelled, before or meanwhile, and survives a restart", async () => {
    const inside = gate();
    const go = gate();
    const held = defineActivity("held", async () => {
      inside.open();
      await go.opened;
      trail.push("held");
    });
    const flow = defineWorkflow("flow", async (ctx) => {
      await ctx.cleanup(async () => {
        await held(ctx);
        await step(ctx, "in the middle");
      });
      try {
        await step(ctx, "never");
      } finally {
        await ctx.cleanup(async () => {
          await ctx.sleep(10);
          await step(ctx, "at the end");
        });
      }
    });
    const app = await startApp({ workflows: [flow], maxParkedInstances: 0 });
    const handle = await flow.start(app);
    await inside.opened;
    await handle.cancel();
    // Durable is not told yet: until then the code may begin something more.
    const isTold = async (): Promise<boolean> =>
      (await app.getHistory(handle.id)).some(({ kind }) => kind === "cancel_requested");
    await until(isTold);
    go.open();
    await failureOf(handle.result());
    expect(trail).toEqual(["held", "do in the middle", "do at the end", "undo at the end", "undo in the middle"]);
  });

  it("tidies up behind a first activity that was cut off, of which no record tells", async () => {
    const begun = gate();
    const cutOff = defineActivity("cut_off", async (ctx) => {
      trail.push("cut off");
      begun.open();
      await new Promise((_, reject) => ctx.signal.addEventListener("abort", reject));
    });
    const flow = defineWorkflow("flow", async (ctx) => {
      try {
        await cutOff(ctx);
      } finally {
        await ctx.cleanup(() => step(ctx, "at the end"));
      }
    });
    const one = await startApp({ workflows: [flow], shutdownTimeout: 0 });
    const { id } = await flow.start(one);
    await begun.opened;
    await one.shutdown();
    const client = await startApp({ worker: false });
    await client.cancel(id);
    expect(await client.getHistory(id)).toEqual([]);
    await startApp({ workflows: [flow] });
    await failureOf(client.handle(flow, id).result());
    expect(trail).toEqual(["cut off", "do at the end", "undo at the end"]);
  });
});

describe("what comes after a cancel", () => {
  it("revives nothing: messages and timers are refused or ignored", async () => {
    const mixed = defineWorkflow("mixed", async (ctx) => {
      await ctx.subscribe("news", "broadcast");
      await Promise.race([ctx.waitEvent("paid"), ctx.receive("news"), ctx.sleep(1_500), ctx.receive("news")]);
      trail.push("went on");
    });
    const app = await startApp({ workflows: [mixed] });
    const handle = await mixed.start(app);
    await isWaiting(app, handle.id);
    await handle.cancel();
    await failureOf(handle.result());
    await app.sendEvent({ type: "paid", source: "test" });
    await app.publish("news", "late");
    await expect(app.sendTo(handle.id, "news", "late")).rejects.toBeInstanceOf(InstanceFinishedError);
    await expect(app.sendEvent({ type: "paid", source: "test" }, { instanceId: handle.id })).rejects.toBeInstanceOf(
      InstanceFinishedError,
    );
    await until(async () => Date.now() > (await handle.describe()).createdAt.getTime() + 1_700);
    expect(await handle.status()).toBe("cancelled");
    expect((await handle.describe()).workerId).toBeUndefined();
    expect(trail).toEqual([]);
  });
});
