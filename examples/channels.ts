/** Workers compete for jobs, reply to whoever sent them, and all hear it when the shop closes. */
import { defineActivity, defineWorkflow, Romancy } from "romancy";

const square = defineActivity("square", (_ctx, n: number) => n * n);

const worker = defineWorkflow("worker", async (ctx, boss: string) => {
  await ctx.subscribe("jobs", "competing");
  await ctx.subscribe("closing", "broadcast");
  await ctx.sendTo(boss, "ready", ctx.instanceId);
  const closing = ctx.receive<number>("closing");
  for (let done = 0; ; done++) {
    const message = await Promise.race([ctx.receive<number>("jobs"), closing]);
    if (message.channel === "closing") return done;
    const result = await square(ctx, message.data);
    await ctx.sendTo(message.senderInstanceId ?? boss, "results", result);
  }
});

const boss = defineWorkflow("boss", async (ctx, workers: number, jobs: number) => {
  await ctx.subscribe("ready", "direct");
  await ctx.subscribe("results", "direct");
  // What is broadcast reaches those who have subscribed by then.
  for (let n = 0; n < workers; n++) await ctx.receive("ready");
  for (let n = 1; n <= jobs; n++) await ctx.publish("jobs", n);
  const results: number[] = [];
  while (results.length < jobs) results.push((await ctx.receive<number>("results")).data);
  await ctx.publish("closing", jobs);
  return results.sort((a, b) => a - b);
});

const app = new Romancy({ database: "channels.db", workflows: [worker, boss] });
await app.start();
const running = await boss.start(app, 3, 8);
const workers = await Promise.all([1, 2, 3].map(() => worker.start(app, running.id)));
console.log("results:", (await running.result()).join(" "));
const done = await Promise.all(workers.map((handle) => handle.result()));
console.log(`${done.reduce((a, b) => a + b)} jobs done by ${done.length} workers, who have all gone home`);
await app.shutdown();
