/** Transactions that end before their activity does, or that somebody tries to end. */
import { beforeEach, describe, expect, it } from "vitest";
import { type ActivityContext, defineActivity, defineWorkflow, SessionError } from "../../src/index.ts";
import { startApp, testDatabase } from "../support/apps.ts";
import { runOnClient } from "../support/client.ts";
import { databaseKind, dialectName, placeholders } from "../support/database.ts";
import { gate } from "../support/wait.ts";

beforeEach(() => testDatabase().exec("create table payments (order_id varchar(50) primary key)"));

async function payments(): Promise<unknown[]> {
  const rows = await testDatabase().rows("select order_id from payments order by order_id");
  return rows.map((row) => row["order_id"]);
}

const INSERT = placeholders("insert into payments (order_id) values (?)");

const insert = (ctx: ActivityContext, id: string): Promise<unknown[]> => ctx.session.query(INSERT, [id]);

/** Runs the body as the only activity of a workflow; tells its error, beneath what is around it, and what was recorded. */
async function attempt(
  body: (ctx: ActivityContext) => Promise<unknown>,
): Promise<{ error: unknown; recorded: string[] }> {
  const pay = defineActivity("pay", async (ctx) => void (await body(ctx)), { retry: false });
  const flow = defineWorkflow("flow", (ctx) => pay(ctx));
  const app = await startApp({ workflows: [flow] });
  const handle = await flow.start(app);
  const error = await handle.result().catch((failure: unknown) => rootOf(failure));
  return { error, recorded: (await app.getHistory(handle.id)).map(({ kind }) => kind) };
}

function rootOf(error: unknown): unknown {
  return error instanceof Error && error.cause ? rootOf(error.cause) : error;
}

const REFUSED = {
  error: expect.objectContaining({ code: "SESSION", message: expect.stringContaining("Leave commit and rollback") }),
  recorded: ["activity_failed"],
};

const RECORDED = { error: undefined, recorded: ["activity_completed"] };

describe("an activity that ends its transaction", () => {
  it.each(["commit", "rollback"])("by %s has failed", async (ending) => {
    const outcome = await attempt(async (ctx) => {
      await insert(ctx, "a");
      await ctx.session.query(ending);
    });
    expect(outcome).toEqual(REFUSED);
    expect(await payments()).toEqual(ending === "commit" ? ["a"] : []);
  });

  it.each(["commit", "rollback"])("by %s on the client has failed", async (ending) => {
    const outcome = await attempt(async (ctx) => {
      await runOnClient(ctx.session.client, INSERT, ["a"]);
      await runOnClient(ctx.session.client, ending, []);
    });
    expect(outcome).toEqual(REFUSED);
  });

  it.each(["commit", "rollback"])("by %s, and begins another, has failed", async (ending) => {
    const outcome = await attempt(async (ctx) => {
      await insert(ctx, "a");
      await ctx.session.query(ending);
      await ctx.session.query("begin");
      await insert(ctx, "b");
    });
    expect(outcome).toEqual(REFUSED);
    expect(await payments()).toEqual(ending === "commit" ? ["a"] : []);
  });

  it("inside a savepoint has failed", async () => {
    const outcome = await attempt((ctx) => ctx.session.savepoint(() => ctx.session.query("commit")));
    expect(outcome.recorded).toEqual(["activity_failed"]);
  });

  it("inside a savepoint that throws is told what was thrown", async () => {
    const outcome = await attempt((ctx) =>
      ctx.session.savepoint(async () => {
        await ctx.session.query("commit");
        throw new Error("inner");
      }),
    );
    expect(outcome).toEqual({ error: expect.objectContaining({ message: "inner" }), recorded: ["activity_failed"] });
  });

  it("inside a savepoint, and goes on after the error, has failed", async () => {
    const outcome = await attempt(async (ctx) => {
      const broken = ctx.session.savepoint(async () => {
        await ctx.session.query("rollback");
        throw new Error("inner");
      });
      await broken.catch(() => {});
    });
    expect(outcome).toEqual(REFUSED);
  });
});

describe("a statement that defines a table", () => {
  const CREATE = "create table extras (id varchar(50) primary key)";
  const extras = (): Promise<unknown> => testDatabase().rows("select id from extras");

  it.runIf(dialectName === "mysql")("ends the transaction on MySQL, and what comes after it is undone", async () => {
    const outcome = await attempt(async (ctx) => {
      await insert(ctx, "before");
      await ctx.session.query(CREATE);
      await insert(ctx, "after");
    });
    expect(outcome).toEqual(REFUSED);
    expect(await payments()).toEqual(["before"]);
  });

  it.runIf(dialectName !== "mysql")("is part of the transaction elsewhere", async () => {
    const define = async (ctx: ActivityContext): Promise<void> => {
      await ctx.session.query(CREATE);
      await insert(ctx, "a");
    };
    const failing = await attempt(async (ctx) => {
      await define(ctx);
      throw new Error("undo");
    });
    expect(failing.recorded).toEqual(["activity_failed"]);
    await expect(extras()).rejects.toThrow("extras");
    expect(await attempt(define)).toEqual(RECORDED);
    expect(await extras()).toEqual([]);
    expect(await payments()).toEqual(["a"]);
  });
});

describe("a statement that fails, and whose error is swallowed,", () => {
  /** Inserts a row twice. */
  const insertTwice = async (ctx: ActivityContext): Promise<void> => {
    await insert(ctx, "a");
    await insert(ctx, "a");
  };

  it.runIf(dialectName === "postgres")("makes the attempt fail on PostgreSQL", async () => {
    const outcome = await attempt((ctx) => insertTwice(ctx).catch(() => {}));
    expect(outcome).toEqual(REFUSED);
    expect(await payments()).toEqual([]);
  });

  it.runIf(dialectName !== "postgres")("is undone by itself elsewhere", async () => {
    expect(await attempt((ctx) => insertTwice(ctx).catch(() => {}))).toEqual(RECORDED);
    expect(await payments()).toEqual(["a"]);
  });

  it("is undone with its savepoint", async () => {
    const outcome = await attempt(async (ctx) => {
      await insert(ctx, "kept");
      await ctx.session.savepoint(() => insertTwice(ctx)).catch(() => {});
    });
    expect(outcome).toEqual(RECORDED);
    expect(await payments()).toEqual(["kept"]);
  });
});

describe("what would give the session's connection back", () => {
  it.each(["release", "end", "destroy", "close", Symbol.dispose, Symbol.asyncDispose])(
    "%s does nothing",
    async (name) => {
      const outcome = await attempt(async (ctx) => {
        const client = ctx.session.client as Record<PropertyKey, (() => unknown) | undefined>;
        await client[name]?.();
        await insert(ctx, "a");
        await client[name]?.();
        expect(await payments()).toEqual([]);
        await runOnClient(client, INSERT, ["b"]);
      });
      expect(outcome).toEqual(RECORDED);
      expect(await payments()).toEqual(["a", "b"]);
    },
  );

  it("calls back", async () => {
    const outcome = await attempt(async (ctx) => {
      const client = ctx.session.client as { end(callback: () => void): void };
      await new Promise<void>((resolve) => client.end(resolve));
      await insert(ctx, "a");
    });
    expect(outcome).toEqual(RECORDED);
  });
});

describe("the client", () => {
  it("takes statements that nobody waits for into the transaction", async () => {
    const outcome = await attempt(async (ctx) => {
      for (const id of ["a", "b", "c"]) void runOnClient(ctx.session.client, INSERT, [id]);
    });
    expect(outcome).toEqual(RECORDED);
    expect(await payments()).toEqual(["a", "b", "c"]);
  });

  it("has the class of the driver's own once the transaction has begun", async () => {
    const { DatabaseSync } = await import("node:sqlite");
    const { Client } = await import("pg");
    const names = { sqlite: DatabaseSync.name, postgres: Client.name, mysql: "PromisePoolConnection" };
    let name: string | undefined;
    await attempt(async (ctx) => {
      await ctx.session.begin();
      name = Object.getPrototypeOf(ctx.session.client).constructor.name;
      if (databaseKind === "sqlite") expect(ctx.session.client).toBeInstanceOf(DatabaseSync);
    });
    expect(name).toBe(names[dialectName]);
  });

  it("is of no use after the activity", async () => {
    let leaked: unknown;
    const outcome = await attempt(async (ctx) => {
      leaked = ctx.session.client;
      await insert(ctx, "a");
    });
    expect(outcome).toEqual(RECORDED);
    await expect(runOnClient(leaked, INSERT, ["late"])).rejects.toThrow(SessionError);
    expect(await payments()).toEqual(["a"]);
  });

  it.runIf(dialectName === "mysql")("is the same, with callbacks or without, on MySQL", async () => {
    interface WithCallbacks {
      query(sql: string, params: string[], callback: (error: unknown) => void): void;
      execute(sql: string, params: unknown[], callback: (error: unknown) => void): void;
      promise(): unknown;
    }
    const errors: unknown[] = [];
    const outcome = await attempt(async (ctx) => {
      const { connection } = ctx.session.client as { connection: WithCallbacks };
      const answered = [
        new Promise((resolve) => connection.query(INSERT, ["a"], resolve)),
        new Promise((resolve) => connection.execute(INSERT, ["b"], resolve)),
        new Promise((resolve) => connection.query("no statement", [], resolve)),
        // What the driver throws, it cannot throw at one who has gone on.
        new Promise((resolve) => connection.execute(INSERT, [undefined], resolve)),
      ];
      await runOnClient(connection.promise(), INSERT, ["c"]);
      errors.push(...(await Promise.all(answered)));
    });
    expect(outcome).toEqual(RECORDED);
    expect(errors).toEqual([null, null, expect.any(Error), expect.any(TypeError)]);
    expect(await payments()).toEqual(["a", "b", "c"]);
  });
});

describe("an activity that is given up", () => {
  it("while it waits for its transaction writes nothing when that comes", async () => {
    const begun = gate();
    const taken = gate();
    const free = gate();
    const holder = defineActivity("holder", async (ctx) => {
      await begun.opened;
      await ctx.session.begin();
      taken.open();
      await free.opened;
    });
    const late = defineActivity(
      "late",
      async (ctx) => {
        const aborted = new Promise((resolve) => ctx.signal.addEventListener("abort", resolve));
        void aborted.then(() => free.open());
        begun.open();
        await taken.opened;
        // On SQLite it has to wait for the other one's transaction.
        await insert(ctx, "late");
        await aborted;
      },
      { timeout: 50, retry: false },
    );
    const flow = defineWorkflow("flow", (ctx) => Promise.allSettled([late(ctx), holder(ctx)]));
    const app = await startApp({ workflows: [flow] });
    const ends = await (await flow.start(app)).result();
    expect(ends.map(({ status }) => status)).toEqual(["rejected", "fulfilled"]);
    expect(await payments()).toEqual([]);
  });
});
