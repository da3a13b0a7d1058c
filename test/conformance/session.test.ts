import { beforeEach, describe, expect, it } from "vitest";
import { type ActivityContext, defineActivity, defineWorkflow, retryPolicies, SessionError } from "../../src/index.ts";
import { recordingLogger, startApp, testDatabase } from "../support/apps.ts";
import { runOnClient } from "../support/client.ts";
import { countCommits } from "../support/counts.ts";
import { placeholders } from "../support/database.ts";
import { gate } from "../support/wait.ts";

const once = { retry: false } as const;

/** The user's own table, as a user would have made it. */
beforeEach(() => testDatabase().exec("create table payments (order_id varchar(50) primary key)"));

async function payments(): Promise<unknown[]> {
  const rows = await testDatabase().rows("select order_id from payments order by order_id");
  return rows.map((row) => row["order_id"]);
}

const INSERT = placeholders("insert into payments (order_id) values (?)");

const insert = (ctx: ActivityContext, id: string): Promise<unknown[]> => ctx.session.query(INSERT, [id]);

describe("ctx.session", () => {
  it("writes rows and the activity's record in one commit", async () => {
    const pay = defineActivity("pay", async (ctx, id: string) => {
      await insert(ctx, id);
      return ctx.session.query<{ order_id: string }>("select order_id from payments");
    });
    const flow = defineWorkflow("flow", async (ctx) => {
      const rows = await pay(ctx, "a");
      await ctx.sleep("1h");
      return rows;
    });
    const app = await startApp({ workflows: [flow] });
    const commits = await countCommits(async () => {
      const handle = await flow.start(app);
      while ((await handle.status()) !== "waiting") await new Promise((resolve) => setImmediate(resolve));
      expect(await app.getHistory(handle.id)).toMatchObject([{ result: [{ order_id: "a" }] }, {}]);
    });
    expect(await payments()).toEqual(["a"]);
    // The start; rows and record; the sleep.
    expect(commits).toBe(3);
  });

  it("rolls back everything of an attempt that fails, and each attempt has its own transaction", async () => {
    const pay = defineActivity(
      "pay",
      async (ctx) => {
        await insert(ctx, `attempt-${ctx.attempt}`);
        if (ctx.attempt < 3) throw new Error("not yet");
      },
      { retry: retryPolicies.fixed(3, 1) },
    );
    const flow = defineWorkflow("flow", (ctx) => pay(ctx));
    const app = await startApp({ workflows: [flow] });
    await (await flow.start(app)).result();
    expect(await payments()).toEqual(["attempt-3"]);
  });

  it("rolls back when the result cannot be stored", async () => {
    const pay = defineActivity("pay", async (ctx) => {
      await insert(ctx, "a");
      return Symbol("no") as unknown;
    });
    const flow = defineWorkflow("flow", async (ctx) => void (await pay(ctx)));
    const app = await startApp({ workflows: [flow] });
    await expect((await flow.start(app)).result()).rejects.toThrow("cannot be stored");
    expect(await payments()).toEqual([]);
  });

  it("undoes a savepoint that throws, and keeps the rest", async () => {
    const pay = defineActivity("pay", async (ctx) => {
      await insert(ctx, "kept");
      const undone = ctx.session.savepoint(async () => {
        await insert(ctx, "undone");
        throw new Error("inner");
      });
      await expect(undone).rejects.toThrow("inner");
      return ctx.session.savepoint(async () => {
        await insert(ctx, "also kept");
        return 7;
      });
    });
    const flow = defineWorkflow("flow", (ctx) => pay(ctx));
    const app = await startApp({ workflows: [flow] });
    expect(await (await flow.start(app)).result()).toBe(7);
    expect(await payments()).toEqual(["also kept", "kept"]);
  });

  it("runs afterCommit callbacks in order after the commit, only then, and survives one that throws", async () => {
    const seen: unknown[] = [];
    const logger = recordingLogger();
    const pay = defineActivity(
      "pay",
      async (ctx) => {
        ctx.session.afterCommit(async () => void seen.push(ctx.attempt, await payments()));
        ctx.session.afterCommit(() => {
          throw new Error("callback");
        });
        ctx.session.afterCommit(() => void seen.push("last"));
        await insert(ctx, "a");
        if (ctx.attempt === 1) throw new Error("first attempt");
      },
      { retry: retryPolicies.fixed(2, 1) },
    );
    const flow = defineWorkflow("flow", (ctx) => pay(ctx));
    const app = await startApp({ workflows: [flow], logger });
    await (await flow.start(app)).result();
    await app.shutdown();
    expect(seen).toEqual([2, ["a"], "last"]);
    expect(logger.lines).toContainEqual(
      expect.objectContaining({ level: "error", data: expect.objectContaining({ error: "callback" }) }),
    );
  });

  it("gives the driver's own object, in the transaction, at once, even to many activities together", async () => {
    const pay = defineActivity(
      "pay",
      async (ctx, id: string) => {
        await runOnClient(ctx.session.client, INSERT, [id]);
        await new Promise((resolve) => setImmediate(resolve));
        if (id === "bad") throw new Error("undo");
      },
      once,
    );
    const flow = defineWorkflow("flow", async (ctx) => {
      await Promise.allSettled(["a", "bad", "b", "c"].map((id) => pay(ctx, id)));
    });
    const app = await startApp({ workflows: [flow] });
    await (await flow.start(app)).result();
    expect(await payments()).toEqual(["a", "b", "c"]);
  });

  it("holds nothing until it is used", async () => {
    const idle = gate();
    const waiting = defineActivity("waiting", () => idle.opened);
    const quick = defineActivity("quick", async (ctx) => void (await ctx.session.query("select 1")));
    const slow = defineWorkflow("slow", (ctx) => waiting(ctx));
    const fast = defineWorkflow("fast", (ctx) => quick(ctx));
    const app = await startApp({ workflows: [slow, fast] });
    const held = await slow.start(app);
    await (await fast.start(app)).result();
    idle.open();
    await held.result();
  });

  it("is closed when its activity has ended, and is not there for one that is not transactional", async () => {
    let leaked: ActivityContext | undefined;
    const leak = defineActivity("leak", async (ctx) => {
      leaked = ctx;
      await ctx.session.query("select 1");
    });
    const plain = defineActivity("plain", (ctx) => ctx.session.query("select 1"), {
      transactional: false,
      retry: false,
    });
    const flow = defineWorkflow("flow", async (ctx) => {
      await leak(ctx);
      await plain(ctx);
    });
    const app = await startApp({ workflows: [flow] });
    await expect((await flow.start(app)).result()).rejects.toThrow("not transactional");
    await expect(leaked?.session.query("select 1")).rejects.toThrow(SessionError);
    expect(() => leaked?.session.client).toThrow(SessionError);
  });

  it("refuses an activity that ends the transaction by itself, and records nothing of it", async () => {
    const pay = defineActivity(
      "pay",
      async (ctx) => {
        await insert(ctx, "a");
        await ctx.session.query("commit");
      },
      once,
    );
    const flow = defineWorkflow("flow", (ctx) => pay(ctx));
    const app = await startApp({ workflows: [flow] });
    const handle = await flow.start(app);
    await expect(handle.result()).rejects.toThrow("Leave commit and rollback");
    expect(await app.getHistory(handle.id)).toMatchObject([{ kind: "activity_failed" }]);
  });

  it("rolls back when the attempt times out, and frees the database for others", async () => {
    const never = gate();
    const pay = defineActivity(
      "pay",
      async (ctx) => {
        await insert(ctx, `attempt-${ctx.attempt}`);
        if (ctx.attempt === 1) await never.opened;
      },
      { timeout: 30, retry: retryPolicies.fixed(2, 1) },
    );
    const flow = defineWorkflow("flow", (ctx) => pay(ctx));
    const app = await startApp({ workflows: [flow] });
    await (await flow.start(app)).result();
    never.open();
    expect(await payments()).toEqual(["attempt-2"]);
  });

  it("makes a start part of the transaction", async () => {
    const child = defineWorkflow("child", (_, from: string) => from);
    const order = defineActivity(
      "order",
      async (ctx, id: string, fail: boolean) => {
        await insert(ctx, id);
        await child.with({ id: `child-of-${id}` }).start(app, id);
        if (fail) throw new Error("undo");
      },
      once,
    );
    const flow = defineWorkflow("flow", (ctx, id: string, fail: boolean) => order(ctx, id, fail));
    const app = await startApp({ workflows: [flow, child] });
    await (await flow.start(app, "kept", false)).result();
    expect(await app.handle(child, "child-of-kept").result()).toBe("kept");
    await expect((await flow.start(app, "undone", true)).result()).rejects.toThrow("undo");
    await expect(app.getInstance("child-of-undone")).rejects.toThrow("no instance");
    expect(await payments()).toEqual(["kept"]);
  });
});
