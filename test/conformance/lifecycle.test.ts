import { describe, expect, it } from "vitest";
import {
  AppStateError,
  DuplicateNameError,
  defineActivity,
  defineWorkflow,
  Romancy,
  SchemaVersionError,
  UnsupportedDatabaseError,
  ValidationError,
} from "../../src/index.ts";
import { anotherDatabase, createApp, startApp, testDatabase } from "../support/apps.ts";
import { migrationCount } from "../support/sql.ts";
import { gate, until } from "../support/wait.ts";

const echo = defineWorkflow("echo", (_, value: string) => value);

describe("an app", () => {
  it("starts and shuts down as often as it is told to, and again", async () => {
    const app = createApp({ workflows: [echo] });
    await app.shutdown();
    await Promise.all([app.start(), app.start()]);
    await app.start();
    const { id } = await echo.start(app, "a");
    await Promise.all([app.shutdown(), app.shutdown()]);
    await app.shutdown();
    await expect(app.getInstance(id)).rejects.toThrow(AppStateError);
    await app.start();
    expect(await app.handle(echo, id).result()).toBe("a");
  });

  it("is disposed of by `await using`", async () => {
    let app: Romancy;
    {
      await using scoped = createApp({ workflows: [echo] });
      app = scoped;
      await scoped.start();
    }
    await expect(app.listInstances()).rejects.toThrow("not started");
  });

  it("refuses a scheme it cannot use and can then be tried again", async () => {
    const app = createApp({ database: "mongodb://localhost/x" });
    await expect(app.start()).rejects.toThrow(UnsupportedDatabaseError);
    await expect(app.start()).rejects.toThrow(UnsupportedDatabaseError);
  });

  it("refuses options that make no sense", () => {
    expect(() => new Romancy({ database: "" })).toThrow(ValidationError);
    expect(() => createApp({ maxConcurrentActivities: 0 })).toThrow("maxConcurrentActivities");
    expect(() => createApp({ leaseDuration: "3s", leaseRenewInterval: "2s" })).toThrow("a third");
    expect(() => createApp({ workerId: "" })).toThrow("workerId");
    expect(() => createApp({ defaultRetryPolicy: { jitter: 2 } })).toThrow("jitter");
  });

  it("refuses two different workflows of one name, and shares nothing with other apps", async () => {
    const other = defineWorkflow("echo", () => "other");
    const app = await startApp({ workflows: [echo, echo] });
    expect(() => app.register(other)).toThrow(DuplicateNameError);
    const second = await startApp({ database: (await anotherDatabase()).url, workflows: [other] });
    expect(await (await echo.start(app, "a")).result()).toBe("a");
    expect(await (await other.start(second)).result()).toBe("other");
  });

  it("leaves instances of workflows it does not know to workers that do", async () => {
    const client = await startApp({ worker: false });
    const stranger = await startApp({ workflows: [defineWorkflow("stranger", () => 1)] });
    const handle = await echo.start(client, "a");
    await (await defineWorkflow("stranger", () => 1).start(client)).result();
    expect(await handle.status()).toBe("pending");
    stranger.register(echo);
    expect(await handle.result()).toBe("a");
  });

  it("rejects those who wait for a result when it shuts down", async () => {
    const flow = defineWorkflow("flow", (ctx) => ctx.sleep("1h"));
    const app = await startApp({ workflows: [flow] });
    const waiting = (await flow.start(app)).result();
    const refused = expect(waiting).rejects.toThrow(AppStateError);
    await until(async () => (await app.listInstances({ status: "waiting" })).instances.length === 1);
    await app.shutdown();
    await refused;
  });
});

describe("shutdown", () => {
  it("lets a running activity end, records it, and hands the rest to another worker", async () => {
    const held = gate();
    const runs: string[] = [];
    const slow = defineActivity("slow", async () => {
      runs.push("slow");
      await held.opened;
      return 1;
    });
    const next = defineActivity("next", () => void runs.push("next"));
    const flow = defineWorkflow("flow", async (ctx) => {
      await slow(ctx);
      await next(ctx);
    });
    const first = await startApp({ workflows: [flow] });
    const { id } = await flow.start(first);
    await until(() => runs.length === 1);
    const down = first.shutdown();
    held.open();
    await down;
    const client = await startApp({ worker: false });
    expect(await client.getHistory(id)).toMatchObject([{ kind: "activity_completed", operationId: "slow:1" }]);
    expect((await client.getInstance(id)).workerId).toBeUndefined();
    const second = await startApp({ workflows: [flow] });
    await second.handle(flow, id).result();
    expect(runs).toEqual(["slow", "next"]);
  });

  it("aborts an activity that takes too long, and its late result has no effect", async () => {
    const held = gate();
    let aborted = false;
    let attempts = 0;
    const slow = defineActivity("slow", async (ctx) => {
      if (attempts++ > 0) return "second";
      ctx.signal.addEventListener("abort", () => {
        aborted = true;
      });
      await held.opened;
      return "first";
    });
    const flow = defineWorkflow("flow", (ctx) => slow(ctx));
    const first = await startApp({ workflows: [flow], shutdownTimeout: 20 });
    const { id } = await flow.start(first);
    await until(() => attempts === 1);
    await first.shutdown();
    expect(aborted).toBe(true);
    held.open();
    const second = await startApp({ workflows: [flow] });
    expect(await second.handle(flow, id).result()).toBe("second");
  });
});

describe("the schema", () => {
  it("is made on start, by several apps at once", async () => {
    const apps = [1, 2, 3].map(() => createApp({ workflows: [echo] }));
    await Promise.all(apps.map((app) => app.start()));
    expect(await versions()).toHaveLength(migrationCount());
  });

  it("is left to the user when `autoMigrate` is off, and an old one is refused", async () => {
    const app = createApp({ autoMigrate: false, workflows: [echo] });
    await expect(app.start()).rejects.toThrow(SchemaVersionError);
    await app.migrate();
    await app.migrate();
    await app.start();
    expect(await (await echo.start(app, "a")).result()).toBe("a");
  });

  it("is refused, untouched, when it is newer than the code", async () => {
    await createApp().migrate();
    await testDatabase().exec("insert into romancy_migrations values ('99990101000000')");
    for (const autoMigrate of [true, false]) {
      await expect(createApp({ autoMigrate }).start()).rejects.toThrow("upgrade romancy");
    }
    await expect(createApp().migrate()).rejects.toThrow(SchemaVersionError);
    expect(await versions()).toHaveLength(migrationCount() + 1);
  });

  function versions(): Promise<unknown[]> {
    return testDatabase().rows("select version from romancy_migrations");
  }
});
