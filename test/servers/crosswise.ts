/** Two workers whose instances send to each other's all the time, in every way there is. */
import { expect } from "vitest";
import { defineActivity, defineWorkflow, type WorkflowHandle } from "../../src/index.ts";
import { consumer } from "../processes/fixtures/jobs.ts";
import { recordingLogger, startApp, testDatabase } from "../support/apps.ts";
import { placeholders } from "../support/database.ts";
import { until } from "../support/wait.ts";

const PEERS = 12;
const ROUNDS = 8;

const INSERT = placeholders("insert into letters (sender, n) values (?, ?)");

/** Sends with a row of the user's, so in a transaction of its own. */
const post = defineActivity("post", async (ctx, to: string, n: number) => {
  await ctx.session.query(INSERT, [ctx.instanceId, n]);
  await ctx.sendTo(to, "letters", `${ctx.instanceId} ${n}`);
});

/** The same without one. */
const shout = defineActivity("shout", async (ctx, n: number) => {
  await ctx.publish("news", `${ctx.instanceId} ${n}`);
});

interface Received {
  readonly mail: string[];
  readonly letters: string[];
  readonly news: string[];
}

const peer = defineWorkflow("peer", async (ctx, others: readonly string[]): Promise<Received> => {
  await ctx.subscribe("news", "broadcast");
  await ctx.subscribe("mail", "direct");
  await ctx.subscribe("letters", "direct");
  await ctx.waitEvent("go");
  const got: Received = { mail: [], letters: [], news: [] };
  for (let n = 0; n < ROUNDS; n++) {
    const to = others[n % others.length] ?? "";
    await Promise.all([ctx.sendTo(to, "mail", `${ctx.instanceId} ${n}`), post(ctx, to, n), shout(ctx, n)]);
    await ctx.publish("jobs", `${ctx.instanceId} ${n}`);
    got.mail.push((await ctx.receive<string>("mail")).data);
    got.letters.push((await ctx.receive<string>("letters")).data);
  }
  while (got.news.length < PEERS * ROUNDS) got.news.push((await ctx.receive<string>("news")).data);
  return got;
});

/**
 * Nothing is lost, nothing comes twice, and nobody waits for somebody who waits for him.
 *
 * @param database where both find the test's database
 * @returns what they had to warn of
 */
export async function crosswise(database: string): Promise<string[]> {
  await testDatabase().exec("create table letters (sender varchar(100), n int)");
  const logger = recordingLogger();
  const workflows = [peer, consumer];
  const apps = await Promise.all(["one", "two"].map((workerId) => startApp({ database, workflows, workerId, logger })));
  const [first] = apps;
  if (!first) throw new Error("No app.");
  const consumers = await Promise.all([0, 1, 2, 3].map((n) => consumer.start(apps[n % 2] ?? first)));
  const ids = Array.from({ length: PEERS }, (_, n) => `peer-${n}`);
  const handles: WorkflowHandle<Received>[] = [];
  for (const [n, id] of ids.entries()) {
    // Round n goes to the peer n + 1 places away, so that each peer is sent to once in each round.
    const others = ids.map((_, step) => ids[(n + step + 1) % PEERS] ?? "");
    handles.push(await peer.with({ id }).start(apps[n % 2] ?? first, others));
  }
  await until(async () => (await Promise.all(handles.map((h) => h.status()))).every((status) => status === "waiting"));
  await first.sendEvent({ type: "go", source: "test" });
  const received = await Promise.all(handles.map((handle) => handle.result()));
  await Promise.all(consumers.map(() => first.publish("jobs", "end")));
  const jobs = (await Promise.all(consumers.map((handle) => handle.result()))).flat();

  const all = ids.flatMap((id) => Array.from({ length: ROUNDS }, (_, n) => `${id} ${n}`));
  const sorted = (list: readonly string[]): string[] => list.toSorted();
  expect(sorted(jobs)).toEqual(sorted(all));
  for (const way of ["mail", "letters"] as const) {
    expect(sorted(received.flatMap((got) => got[way]))).toEqual(sorted(all));
  }
  for (const { news } of received) {
    expect(sorted(news)).toEqual(sorted(all));
    // What one has sent comes in the order of sending.
    const from = (id: string, list: readonly string[]): string[] => list.filter((text) => text.startsWith(`${id} `));
    for (const id of ids) expect(from(id, news)).toEqual(from(id, all));
  }
  const letters = await testDatabase().rows("select sender, n from letters");
  expect(sorted(letters.map(({ sender, n }) => `${String(sender)} ${String(n)}`))).toEqual(sorted(all));
  // Where two wait for each other one fails: on PostgreSQL after a second.
  const failed = await testDatabase().rows("select data from romancy_history where kind = 'attempt_failed'");
  expect(failed).toEqual([]);
  await Promise.all(apps.map((app) => app.shutdown()));
  return logger.lines.flatMap(({ level, message }) => (level === "info" || level === "debug" ? [] : [message]));
}
