/** Several processes that make the schema of an empty database at once, and one that dies over it. */
import { afterEach, expect, it } from "vitest";
import { defineActivity, defineWorkflow, type Romancy } from "../../src/index.ts";
import { dice, seed } from "../crash/random.ts";
import { launch } from "../processes/worker.ts";
import { anotherDatabase, startApp, testDatabase } from "../support/apps.ts";
import { dialectName, type TestDatabase } from "../support/database.ts";
import { migrationCount } from "../support/sql.ts";
import { LateProxy } from "./late-proxy.ts";

const step = defineActivity("step", (_, n: number) => n + 1);
const flow = defineWorkflow("flow", async (ctx, n: number) => {
  await ctx.sleep(1);
  return step(ctx, n);
});
const nap = defineWorkflow("nap", (): string => "");

let proxy: LateProxy | undefined;

afterEach(() => proxy?.close());

/** Its tables and columns, and what is noted of them. */
async function schemaOf(database: TestDatabase): Promise<unknown[]> {
  const migrations = await database.rows("select version from romancy_migrations order by version");
  expect(migrations).toHaveLength(migrationCount());
  const schema = dialectName === "postgres" ? "current_schema()" : "database()";
  const columns = await database.rows(
    `select table_name as t, column_name as c from information_schema.columns where table_schema = ${schema}
     order by table_name, column_name`,
  );
  return [migrations, columns];
}

it("is made once by four processes", async () => {
  const client = await startApp({ worker: false, autoMigrate: false }).catch(() => undefined);
  expect(client).toBeUndefined();
  await Promise.all(["a", "b", "c", "d"].map((id) => launch(id).started()));
  const late = await startApp({ worker: false, autoMigrate: false });
  const naps = await Promise.all(Array.from({ length: 20 }, () => nap.start(late)));
  expect(await Promise.all(naps.map((handle) => handle.result()))).toEqual(naps.map(() => "awake"));
  await schemaOf(testDatabase());
});

it("is made once by four apps at the very same moment", async () => {
  await Promise.all([1, 2, 3, 4].map(() => startApp({ worker: false })));
  await schemaOf(testDatabase());
});

it(`is completed by others when one is killed at any point (CRASH_SEED=${seed})`, { timeout: 120_000 }, async () => {
  await startApp({ workflows: [flow] });
  const whole = await schemaOf(testDatabase());
  const roll = dice(seed);
  let point = 1;
  for (; ; point++) {
    const database = await anotherDatabase();
    const way = await LateProxy.open(database.url);
    proxy = way;
    let left = point;
    let hasBegun = false;
    let hasEnded = false;
    const caught = way.catch((message) => {
      hasBegun ||= message.includes("romancy_migrations");
      hasEnded ||= /^(?!.*CREATE TABLE).*romancy_workers/s.test(message);
      return hasBegun && !hasEnded && --left === 0;
    });
    const doomed = launch(`doomed-${point}`, {}, { database: way.url, listenNotify: false });
    const message = await Promise.race([caught, doomed.line("started").then(() => undefined)]);
    if (!message) break;
    const starting = [1, 2].map(() => startApp({ database: database.url, workflows: [flow] }));
    await doomed.kill();
    // What it sent last may have been on its way.
    if (roll(2) === 1) message.lose();
    else await message.deliver();
    const apps: Romancy[] = await Promise.all(starting);
    expect(await schemaOf(database), `killed at message ${point}`).toEqual(whole);
    const handles = await Promise.all(apps.map((app) => flow.start(app, point)));
    expect(await Promise.all(handles.map((handle) => handle.result()))).toEqual([point + 1, point + 1]);
    await Promise.all(apps.map((app) => app.shutdown()));
    await way.close();
    proxy = undefined;
  }
  // The lock, the look, the schema, the note and the end.
  expect(point).toBeGreaterThan(5);
});
