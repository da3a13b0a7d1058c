/** Jobs for four consumers in four processes, of which one is killed every moment: each is received once. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import type { Romancy } from "../../src/index.ts";
import { dice, seed } from "../crash/random.ts";
import { startApp, testDatabase } from "../support/apps.ts";
import { placeholders } from "../support/database.ts";
import { effort } from "../support/effort.ts";
import { until } from "../support/wait.ts";
import { consumer, producer, transactionalProducer } from "./fixtures/jobs.ts";
import { Kills } from "./kills.ts";

const WORKERS = 4;
const KILLS = 10 * effort;
/** From each of three kinds of senders. */
const JOBS = { app: 400 * effort, workflow: 300 * effort, activity: 300 * effort };
/** Of the app's jobs, that are published between two kills at most, so that a fast machine is not done before them. */
const SHARE = 40;

const program = fileURLToPath(new URL("fixtures/jobs-worker.ts", import.meta.url));
const INSERT = placeholders("insert into jobs (name) values (?)");

const named = (name: string, count: number): string[] => Array.from({ length: count }, (_, n) => `${name}-${n}`);

async function publishAll(client: Romancy, kills: () => number): Promise<void> {
  for (const [n, job] of named("app", JOBS.app).entries()) {
    await until(() => kills() >= Math.floor(n / SHARE));
    await client.publish("jobs", job);
  }
}

it(`are received once and none is lost (CRASH_SEED=${seed})`, { timeout: 180_000 * effort }, async () => {
  await testDatabase().exec("create table jobs (name varchar(100))");
  const client = await startApp({ worker: false });
  const start = (): ChildProcess =>
    fork(program, [testDatabase().url, INSERT], { execArgv: ["--disable-warning=ExperimentalWarning"] });
  const workers = Array.from({ length: WORKERS }, start);
  try {
    await Promise.all(workers.map((child) => once(child, "message")));
    const consumers = await Promise.all(Array.from({ length: WORKERS }, () => consumer.start(client)));
    const producers = [
      await producer.start(client, "workflow", JOBS.workflow),
      await transactionalProducer(INSERT).start(client, "activity", JOBS.activity),
    ];
    const kills = new Kills();
    const published = Promise.all([
      publishAll(client, () => kills.count),
      ...producers.map((handle) => handle.result()),
    ]);
    await kills.run({ workers, start, roll: dice(seed), pause: 400, most: KILLS, over: published });
    await published;
    await until(async () => (await untaken()) === 0);
    await Promise.all(consumers.map(() => client.publish("jobs", "end")));
    const got = (await Promise.all(consumers.map((handle) => handle.result()))).flat();
    const all = Object.entries(JOBS).flatMap(([name, count]) => named(name, count));
    expect(got.toSorted()).toEqual(all.toSorted());
    expect((await received()).toSorted()).toEqual([...all, ...consumers.map(() => "end")].toSorted());
    const rows = await testDatabase().rows("select name from jobs");
    expect(rows.map(({ name }) => String(name)).toSorted()).toEqual(named("activity", JOBS.activity).toSorted());
  } finally {
    for (const child of workers) child.kill("SIGKILL");
  }
});

async function untaken(): Promise<number> {
  const [row] = await testDatabase().rows("select count(*) as n from romancy_channel_messages where taken_at is null");
  return Number(row?.["n"]);
}

/** What is recorded as received, by whomever. */
async function received(): Promise<string[]> {
  const rows = await testDatabase().rows("select data from romancy_history where kind = 'message_received'");
  return rows.map(({ data }) => (JSON.parse(String(data)) as { data: string }).data);
}
