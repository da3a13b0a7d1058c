/** Real query builders on `ctx.session.client`: their rows stand or fall with the activity's record. */
import { beforeEach, describe, expect, it } from "vitest";
import { type ActivityContext, defineActivity, defineWorkflow, retryPolicies, SessionError } from "../../src/index.ts";
import { startApp, testDatabase } from "../support/apps.ts";
import { countCommits } from "../support/counts.ts";
import { dialectName, placeholders } from "../support/database.ts";
import { refusingData } from "../support/sql.ts";
import { gate, until } from "../support/wait.ts";
import type { Payments } from "./query-builders/builder.ts";
import { drizzle } from "./query-builders/drizzle.js";
import { kysely } from "./query-builders/kysely.ts";

const once = { retry: false } as const;

beforeEach(() => testDatabase().exec("create table payments (order_id varchar(50) primary key)"));

/** What everybody sees. */
async function committed(): Promise<unknown[]> {
  const rows = await testDatabase().rows("select order_id from payments order by order_id");
  return rows.map((row) => row["order_id"]);
}

const INSERT = placeholders("insert into payments (order_id) values (?)");

/** Runs the body as the only activity of a workflow, and gives its result. */
async function runActivity<T>(body: (ctx: ActivityContext) => Promise<T>): Promise<T> {
  const pay = defineActivity("pay", body, once);
  const flow = defineWorkflow("flow", (ctx) => pay(ctx));
  const app = await startApp({ workflows: [flow] });
  return (await flow.start(app)).result();
}

describe.each([drizzle, kysely])("$name on ctx.session.client", ({ on, streams }) => {
  it("writes its rows in the commit that records the activity", async () => {
    const pay = defineActivity("pay", async (ctx) => {
      await on(ctx.session.client).insert("a");
      return "paid";
    });
    const flow = defineWorkflow("flow", async (ctx) => {
      await pay(ctx);
      await ctx.sleep("1h");
    });
    const app = await startApp({ workflows: [flow] });
    const commits = await countCommits(async () => {
      const handle = await flow.start(app);
      await until(async () => (await handle.status()) === "waiting");
      expect(await app.getHistory(handle.id)).toMatchObject([{ kind: "activity_completed", result: "paid" }, {}]);
    });
    expect(await committed()).toEqual(["a"]);
    // The start; row and record; the sleep.
    expect(commits).toBe(3);
  });

  it("writes nothing when the record cannot be written", async () => {
    const pay = defineActivity(
      "pay",
      async (ctx) => {
        await on(ctx.session.client).insert("a");
        return "bad";
      },
      once,
    );
    const flow = defineWorkflow("flow", async (ctx) => {
      await pay(ctx).catch((error: Error) => expect(error.message).toContain("refused by trigger"));
      return committed();
    });
    const app = await startApp({ workflows: [flow] });
    await testDatabase().exec(refusingData('"bad"'));
    expect(await (await flow.start(app)).result()).toEqual([]);
  });

  it("leaves nothing of an attempt that fails, and the next has a transaction of its own", async () => {
    const seen: string[][] = [];
    const pay = defineActivity(
      "pay",
      async (ctx) => {
        const payments = on(ctx.session.client);
        seen.push(await payments.orderIds());
        await payments.insert(`attempt-${ctx.attempt}`);
        seen.push(await payments.orderIds());
        if (ctx.attempt === 1) throw new Error("not yet");
      },
      { retry: retryPolicies.fixed(2, 1) },
    );
    const flow = defineWorkflow("flow", (ctx) => pay(ctx));
    const app = await startApp({ workflows: [flow] });
    const handle = await flow.start(app);
    await handle.result();
    expect(seen).toEqual([[], ["attempt-1"], [], ["attempt-2"]]);
    expect(await committed()).toEqual(["attempt-2"]);
    expect(await app.getHistory(handle.id)).toMatchObject([{ kind: "attempt_failed" }, { kind: "activity_completed" }]);
  });

  const beginnings: Record<string, (ctx: ActivityContext) => Payments | Promise<Payments>> = {
    "at once": (ctx) => on(ctx.session.client),
    "after begin": async (ctx) => {
      await ctx.session.begin();
      return on(ctx.session.client);
    },
    "before begin": async (ctx) => {
      const payments = on(ctx.session.client);
      await ctx.session.begin();
      return payments;
    },
    "after a query": async (ctx) => {
      await ctx.session.query(INSERT, ["first"]);
      return on(ctx.session.client);
    },
    "while a query is under way": async (ctx) => {
      const query = ctx.session.query(INSERT, ["first"]);
      const payments = on(ctx.session.client);
      await query;
      return payments;
    },
    "in a savepoint": (ctx) => ctx.session.savepoint(() => on(ctx.session.client)),
  };

  it.each(Object.entries(beginnings))("is set up %s, in the session's only transaction", async (_, begin) => {
    const ids = await runActivity(async (ctx) => {
      // No `await` that is not needed: at once means at once.
      const beginning = begin(ctx);
      const payments = "insert" in beginning ? beginning : await beginning;
      await Promise.all([payments.insert("a"), payments.insert("b"), ctx.session.query(INSERT, ["c"])]);
      expect(await committed()).toEqual([]);
      const rows = await ctx.session.query<{ order_id: string }>("select order_id from payments order by order_id");
      expect(await payments.orderIds()).toEqual(rows.map((row) => row.order_id));
      return rows.map((row) => row.order_id);
    });
    expect(ids.filter((id) => id !== "first")).toEqual(["a", "b", "c"]);
    expect(await committed()).toEqual(ids);
  });

  it.skipIf(!streams)("streams rows once the transaction has begun", async () => {
    const ids = await runActivity(async (ctx) => {
      const payments = on(ctx.session.client);
      await ctx.session.begin();
      await payments.insert("a");
      await payments.insert("b");
      const streamed: string[] = [];
      for await (const id of payments.stream()) streamed.push(id);
      return streamed;
    });
    expect(ids).toEqual(["a", "b"]);
  });

  it("sees the session's own writes, which others do not see before the commit", async () => {
    const written = gate();
    const looked = gate();
    const pay = defineActivity("pay", async (ctx) => {
      const payments = on(ctx.session.client);
      await payments.insert("a");
      await ctx.session.query(INSERT, ["b"]);
      written.open();
      await looked.opened;
      return payments.orderIds();
    });
    const flow = defineWorkflow("flow", (ctx) => pay(ctx));
    const app = await startApp({ workflows: [flow] });
    const handle = await flow.start(app);
    await written.opened;
    expect(await committed()).toEqual([]);
    looked.open();
    expect(await handle.result()).toEqual(["a", "b"]);
    expect(await committed()).toEqual(["a", "b"]);
  });

  it("may be destroyed, and another set up, in the same transaction", async () => {
    await runActivity(async (ctx) => {
      const payments = on(ctx.session.client);
      await payments.insert("a");
      await payments.destroy();
      expect(await committed()).toEqual([]);
      const others = on(ctx.session.client);
      expect(await others.orderIds()).toEqual(["a"]);
      await others.insert("b");
      await others.destroy();
    });
    expect(await committed()).toEqual(["a", "b"]);
  });

  it("may be destroyed at once", async () => {
    await runActivity(async (ctx) => {
      await on(ctx.session.client).destroy();
      await on(ctx.session.client).insert("a");
    });
    expect(await committed()).toEqual(["a"]);
  });

  it("goes on after a savepoint with its statement that failed", async () => {
    await runActivity(async (ctx) => {
      const payments = on(ctx.session.client);
      await payments.insert("a");
      const twice = ctx.session.savepoint(async () => {
        await payments.insert("b");
        await payments.insert("a");
      });
      await expect(twice).rejects.toThrow(/duplicate|unique|failed query/i);
      await payments.insert("c");
    });
    expect(await committed()).toEqual(["a", "c"]);
  });

  it("is of no use to an attempt that has timed out", async () => {
    const late = gate();
    const refused: unknown[] = [];
    const ended = gate();
    const pay = defineActivity(
      "pay",
      async (ctx) => {
        const payments = on(ctx.session.client);
        await payments.insert(`attempt-${ctx.attempt}`);
        if (ctx.attempt > 1) return;
        await late.opened;
        refused.push(await payments.insert("late").catch((error: unknown) => rootOf(error)));
        refused.push(await payments.orderIds().catch((error: unknown) => rootOf(error)));
        ended.open();
      },
      { timeout: 200, retry: retryPolicies.fixed(2, 1) },
    );
    const waiting = gate();
    const other = defineActivity("other", async (ctx) => {
      await on(ctx.session.client).insert("other");
      late.open();
      await waiting.opened;
    });
    const flow = defineWorkflow("flow", async (ctx) => {
      await pay(ctx);
      await other(ctx);
    });
    const app = await startApp({ workflows: [flow] });
    const handle = await flow.start(app);
    // While the next activity has a transaction, on the same connection perhaps.
    await ended.opened;
    waiting.open();
    await handle.result();
    expect(refused).toEqual([expect.any(SessionError), expect.any(SessionError)]);
    expect(await committed()).toEqual(["attempt-2", "other"]);
  });

  it("is refused when it makes a transaction of its own, and nothing is recorded as done", async () => {
    const pay = defineActivity(
      "pay",
      async (ctx) => {
        const payments = on(ctx.session.client);
        await payments.insert("a");
        await payments.insertInTransaction("b");
      },
      once,
    );
    const flow = defineWorkflow("flow", (ctx) => pay(ctx));
    const app = await startApp({ workflows: [flow] });
    const handle = await flow.start(app);
    const error = await handle.result().catch((failure: unknown) => rootOf(failure));
    // SQLite refuses the builder's `begin`; the servers let it, and have committed.
    const refusal = dialectName === "sqlite" ? "within a transaction" : "Leave commit and rollback";
    expect((error as Error).message).toContain(refusal);
    expect(await app.getHistory(handle.id)).toMatchObject([{ kind: "activity_failed" }]);
    if (dialectName === "sqlite") expect(await committed()).toEqual([]);
  });
});

/** What lies beneath the errors that builders and workflows put around it. */
function rootOf(error: unknown): unknown {
  return error instanceof Error && error.cause ? rootOf(error.cause) : error;
}
