/** Apps on a pool of the user's own. */
import { types } from "pg";
import { beforeEach, describe, expect, it } from "vitest";
import {
  ActivityTimeoutError,
  defineActivity,
  defineWorkflow,
  type Romancy,
  UnsupportedDatabaseError,
} from "../../src/index.ts";
import { createApp, testDatabase } from "../support/apps.ts";
import { dialectName, placeholders } from "../support/database.ts";
import { gate, until } from "../support/wait.ts";
import { type MakePool, makers, type UsersPool } from "./pools/pool.ts";

beforeEach(() => testDatabase().exec("create table payments (order_id varchar(50) primary key, amount bigint)"));

const INSERT = placeholders("insert into payments (order_id, amount) values (?, 7)");

const pay = defineActivity("pay", async (ctx, id: string) => {
  await ctx.session.query(INSERT, [id]);
  return ctx.session.query(placeholders("select order_id from payments where order_id = ?"), [id]);
});

const flow = defineWorkflow("flow", async (ctx, id: string) => {
  const rows = await pay(ctx, id);
  await ctx.sleep(1);
  return rows;
});

const greet = defineActivity("greet", (_, name: string) => `hello ${name}`);

const plain = defineWorkflow("plain", (ctx, name: string) => greet(ctx, name));

async function paid(): Promise<number> {
  const [row] = await testDatabase().rows("select count(*) as n from payments");
  return Number(row?.["n"]);
}

/** Makes an app on such a pool, and ends both after the body: the app first, which must leave the pool as it was. */
async function onPool(
  users: UsersPool,
  body: (app: Romancy) => Promise<void>,
  options: Parameters<typeof createApp>[0] = {},
): Promise<void> {
  const app = createApp({ database: users.pool, workflows: [flow, plain], defaultRetryPolicy: false, ...options });
  try {
    await app.start();
    await body(app);
    await app.shutdown();
    // The pool takes a connection back a moment after it was given.
    await until(() => users.inUse() === 0);
    expect(users.waiting()).toBe(0);
    expect(await users.query("select 1 as one")).toHaveLength(1);
  } finally {
    await app.shutdown();
    await users.end();
  }
}

describe.each(Object.entries(makers))("a pool made by %s", (_, make) => {
  it("serves an app, and can be used beside and after it", async () => {
    const users = make(10);
    await onPool(users, async (app) => {
      expect(await (await flow.start(app, "a")).result()).toEqual([{ order_id: "a" }]);
      expect(await users.query("select order_id from payments")).toMatchObject([{ order_id: "a" }]);
    });
  });

  it("serves another app after the first", async () => {
    const users = make(10);
    const first = createApp({ database: users.pool, workflows: [flow] });
    await first.start();
    await (await flow.start(first, "a")).result();
    await first.shutdown();
    await onPool(users, async (app) => void (await (await flow.start(app, "b")).result()));
    expect(await paid()).toBe(2);
  });

  it("serves workers with as many connections as are needed at least", async () => {
    const users = make(6);
    await onPool(users, async (app) => {
      const handles = await Promise.all(["a", "b", "c", "d"].map((id) => flow.start(app, id)));
      await Promise.all(handles.map((handle) => handle.result()));
    });
    expect(await paid()).toBe(4);
  });

  it("is refused when it is too small, and left open", async () => {
    const users = make(5);
    const app = createApp({ database: users.pool });
    try {
      const refused = app.start();
      await expect(refused).rejects.toThrow(UnsupportedDatabaseError);
      await expect(refused).rejects.toThrow(/5 connections at most.*Allow 6 or more/);
      expect(users.inUse()).toBe(0);
      expect(await users.query("select 1 as one")).toHaveLength(1);
    } finally {
      await users.end();
    }
  });

  it("lets sessions wait for a connection, and the engine not", async () => {
    await waitForSessions(make(7));
  });

  it("lets the engine go on when the user has taken all that was left of it", async () => {
    const users = make(7);
    await onPool(users, async (app) => {
      const taken = Array.from({ length: 12 }, () => users.take());
      await until(() => users.inUse() === 7 && users.waiting() >= 6);
      await greetAll(app);
      await app.shutdown();
      for (const connection of taken) (await connection)();
      // What the engine had asked for in vain is given back when it comes.
      await until(() => users.inUse() === 0 && users.waiting() === 0);
    });
  });

  it("does not keep an attempt that times out while it waits for a connection", async () => {
    await timeOutWaiting(make(7));
  });
});

/** The engine's own commits, several at once. */
async function greetAll(app: Romancy): Promise<void> {
  const names = ["a", "b", "c", "d", "e"];
  const handles = await Promise.all(names.map((name) => plain.start(app, name)));
  const greetings = await Promise.all(handles.map((handle) => handle.result()));
  expect(greetings).toEqual(names.map((name) => `hello ${name}`));
}

/** Twenty activities want a transaction; there are connections for two or three. */
async function waitForSessions(users: UsersPool): Promise<void> {
  const may = gate();
  const holding = defineActivity("holding", async (ctx, id: string) => {
    await ctx.session.query(INSERT, [id]);
    await may.opened;
  });
  const hold = defineWorkflow("hold", (ctx, id: string) => holding(ctx, id));
  await onPool(
    users,
    async (app) => {
      const ids = Array.from({ length: 20 }, (_, index) => `hold-${index}`);
      const held = await Promise.all(ids.map((id) => hold.start(app, id)));
      await until(() => users.waiting() >= 15);
      await greetAll(app);
      expect((await app.listInstances({ status: "completed" })).instances).toHaveLength(5);
      expect(await paid()).toBe(0);
      may.open();
      await Promise.all(held.map((handle) => handle.result()));
    },
    { workflows: [hold, plain] },
  );
  expect(await paid()).toBe(20);
}

async function timeOutWaiting(users: UsersPool): Promise<void> {
  const may = gate();
  const holding = defineActivity("holding", async (ctx, id: string) => {
    await ctx.session.query(INSERT, [id]);
    await may.opened;
  });
  const hurried = defineActivity("hurried", async (ctx) => ctx.session.query(INSERT, ["late"]), { timeout: 50 });
  const hold = defineWorkflow("hold", (ctx, id: string) => holding(ctx, id));
  const hurry = defineWorkflow("hurry", async (ctx) => void (await hurried(ctx)));
  await onPool(
    users,
    async (app) => {
      const held = await Promise.all(["a", "b", "c", "d", "e", "f"].map((id) => hold.start(app, id)));
      await until(() => users.waiting() > 0);
      const error = await (await hurry.start(app)).result().catch((failure: Error) => rootOf(failure));
      expect(error).toBeInstanceOf(ActivityTimeoutError);
      may.open();
      await Promise.all(held.map((handle) => handle.result()));
    },
    { workflows: [hold, hurry] },
  );
  expect(await paid()).toBe(6);
}

function rootOf(error: unknown): unknown {
  return error instanceof Error && error.cause ? rootOf(error.cause) : error;
}

/** A worker, then another that goes on with what the first recorded: whatever reads rows. */
async function useAllOfIt(make: MakePool, options: object): Promise<void> {
  const begun = gate();
  const may = gate();
  const wait = defineActivity("wait", async (ctx) => {
    begun.open();
    if (ctx.attempt === 1) await may.opened;
    return "waited";
  });
  const long = defineWorkflow("long", async (ctx) => {
    const rows = await pay(ctx, "x");
    return [rows.map((row) => Object.keys(row)), ctx.now() > 0, await wait(ctx)];
  });
  const users = make(12, options);
  await onPool(
    users,
    async (first) => {
      const started = Date.now();
      await long.with({ id: "x", tags: { colour: "blue" } }).start(first);
      await begun.opened;
      await first.shutdown();
      may.open();
      const second = createApp({ database: users.pool, workflows: [long] });
      await second.start();
      expect(await second.handle(long, "x").result()).toEqual([[["order_id"]], true, "waited"]);
      const { instances } = await second.listInstances({ limit: 1 });
      expect(instances).toMatchObject([{ id: "x", status: "completed", tags: { colour: "blue" } }]);
      expect(Math.abs(Number(instances[0]?.createdAt) - started)).toBeLessThan(60_000);
      expect(await second.getHistory("x")).toMatchObject([{ seq: 1 }, { seq: 2 }, { seq: 3 }]);
      await second.shutdown();
    },
    { workflows: [long], shutdownTimeout: 1 },
  );
}

describe.runIf(dialectName === "postgres")("on PostgreSQL", () => {
  it("parsers that the user has set for all of `pg` are not the engine's", async () => {
    const { INT8, INT4, NUMERIC, BOOL, TEXT } = types.builtins;
    const TYPES = [INT8, INT4, NUMERIC, BOOL, TEXT];
    const before = TYPES.map((type) => types.getTypeParser(type));
    try {
      for (const type of [INT8, INT4]) types.setTypeParser(type, BigInt);
      for (const type of [NUMERIC, BOOL, TEXT]) types.setTypeParser(type, (text) => `parsed ${text}`);
      const [make] = Object.values(makers);
      if (make) await useAllOfIt(make, {});
      const seen = defineActivity("seen", async (ctx) => {
        const [row] = await ctx.session.query<{ amount: unknown }>("select 7::bigint as amount");
        return typeof row?.amount;
      });
      const look = defineWorkflow("look", (ctx) => seen(ctx));
      const app = createApp({ workflows: [look] });
      await app.start();
      // The user's own rows are as the user wants them.
      expect(await (await look.start(app)).result()).toBe("bigint");
    } finally {
      TYPES.forEach((type, index) => {
        types.setTypeParser(type, before[index] as (value: string) => unknown);
      });
    }
  });
});

describe.runIf(dialectName === "mysql")("on MySQL", () => {
  it.each([
    { supportBigNumbers: true, bigNumberStrings: true, dateStrings: true, decimalNumbers: true },
    { rowsAsArray: true },
    { multipleStatements: true },
    { namedPlaceholders: true },
    { typeCast: false },
    { typeCast: (field: { string(): string | null }) => `cast ${field.string()}` },
    { timezone: "+05:00", stringifyObjects: true },
  ])("a pool with %j serves all the same", async (options) => {
    const [make] = Object.values(makers);
    if (make) await useAllOfIt(make, options);
  });

  const cases = Object.values(makers).flatMap((make) => [
    { options: { flags: "-FOUND_ROWS" }, message: /FOUND_ROWS.*Leave it on/, make },
    { options: { charset: "latin1" }, message: /charset latin1.*utf8mb4/, make },
    { options: { charset: "utf8" }, message: /charset utf8mb3.*utf8mb4/, make },
  ]);

  it.each(cases)("a pool with $options is refused, and left open", async ({ options, message, make }) => {
    const users = make(10, options);
    const refused = createApp({ database: users.pool }).start();
    await expect(refused).rejects.toThrow(UnsupportedDatabaseError);
    await expect(refused).rejects.toThrow(message);
    expect(await users.query("select 1 as one")).toHaveLength(1);
    await users.end();
  });
});
