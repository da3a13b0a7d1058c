/** Messages to instances that have ended, or are blocked, and what is left of those that have ended. */
import { beforeEach, describe, expect, it } from "vitest";
import {
  defineActivity,
  defineWorkflow,
  InstanceFinishedError,
  type Romancy,
  type WorkflowContext,
  WorkflowFailedError,
} from "../../src/index.ts";
import { startApp, testDatabase } from "../support/apps.ts";
import { watchDriver } from "../support/database.ts";
import { gate, until } from "../support/wait.ts";

/** Whatever instances have besides their rows and histories. */
async function leftovers(): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const table of ["inbox", "subscriptions", "channel_subscriptions", "groups"]) {
    const [row] = await testDatabase().rows(`select count(*) as n from romancy_${table}`);
    if (Number(row?.["n"]) > 0) found[table] = Number(row?.["n"]);
  }
  return found;
}

async function joinAll(ctx: WorkflowContext): Promise<void> {
  await ctx.subscribe("news", "broadcast");
  await ctx.subscribe("jobs", "competing");
  await ctx.subscribe("mail", "direct");
  await ctx.joinGroup("crew");
}

const member = defineWorkflow(
  "member",
  async (ctx, end: "returns" | "throws" | "goes on"): Promise<string> => {
    await joinAll(ctx);
    const { data } = await ctx.waitEvent<string>("end");
    if (end === "throws") throw new Error(data);
    return end === "returns" ? data : ctx.recur("at once");
  },
  { events: ["never"] },
);

/** Its successor ends without having heard of anything. */
const heir = defineWorkflow("heir", async (ctx, isFirst: boolean): Promise<string> => {
  if (!isFirst) return "done";
  await joinAll(ctx);
  return ctx.recur(false);
});

describe.each([1_000, 0])("an instance that has ended (%i parked)", (maxParkedInstances) => {
  let app: Romancy;
  beforeEach(async () => {
    app = await startApp({ workflows: [member, heir], maxParkedInstances });
  });

  it.each(["returns", "throws"] as const)("that %s leaves nothing, and gets nothing any more", async (end) => {
    const handle = await member.start(app, end);
    await until(async () => (await handle.status()) === "waiting");
    // None of these is ever received.
    await app.publish("news", 1);
    await app.sendTo(handle.id, "mail", 1);
    await app.sendEvent({ type: "never", source: "test" });
    await app.sendEvent({ type: "end", source: "test", data: "ended" });
    const result = await handle.result().catch((error: unknown) => error);
    expect(end === "returns" ? result === "ended" : result instanceof WorkflowFailedError).toBe(true);
    await app.publish("news", 2);
    await app.sendEvent({ type: "end", source: "test" });
    await expect(app.sendTo(handle.id, "mail", 2)).rejects.toBeInstanceOf(InstanceFinishedError);
    expect(await leftovers()).toEqual({});
    expect(await app.handle(member, handle.id).status()).toBe(end === "returns" ? "completed" : "failed");
  });

  it("leaves nothing of what it has from its predecessor", async () => {
    const handle = await heir.start(app, true);
    expect(await handle.result()).toBe("done");
    expect(await leftovers()).toEqual({});
    await expect(app.sendTo(handle.id, "mail", 1)).rejects.toBeInstanceOf(InstanceFinishedError);
  });
});

it("leaves no message that came while it was running, and was never asked for", async () => {
  const held = gate();
  const work = defineActivity("work", () => held.opened);
  const flow = defineWorkflow("flow", (ctx) => work(ctx));
  const app = await startApp({ workflows: [flow] });
  const handle = await flow.start(app);
  let isRead = false;
  const stop = watchDriver({
    after({ text }) {
      isRead ||= /from romancy_inbox/.test(text);
    },
  });
  await app.sendTo(handle.id, "mail", 1);
  await until(() => isRead);
  stop();
  held.open();
  await handle.result();
  expect(await leftovers()).toEqual({});
});

it("passes on what it was called for when it goes on as another that does not take it", async () => {
  const held = gate();
  const work = defineActivity("work", () => held.opened);
  const taker = defineWorkflow("taker", async (ctx): Promise<unknown> => {
    await ctx.subscribe("jobs", "competing");
    return (await ctx.receive("jobs")).data;
  });
  const fickle = defineWorkflow("fickle", async (ctx, isFirst: boolean): Promise<unknown> => {
    if (!isFirst) return work(ctx);
    await ctx.subscribe("jobs", "competing");
    await Promise.race([ctx.receive("jobs"), ctx.waitEvent("go")]);
    return ctx.recur(false);
  });
  const app = await startApp({ workflows: [taker, fickle], maxParkedInstances: 0 });
  const first = await fickle.start(app, true);
  await until(async () => (await first.status()) === "waiting");
  const second = await taker.start(app);
  await until(async () => (await second.status()) === "waiting");
  await app.sendEvent({ type: "go", source: "test" });
  await until(async () => (await first.status()) === "recurred");
  // It waits no longer: nobody is to think of it as waiting.
  const waiting = await testDatabase().rows(
    "select instance_id from romancy_channel_subscriptions where waiting_since is not null",
  );
  expect(waiting).toEqual([{ instance_id: second.id }]);
  await app.publish("jobs", "job");
  expect(await second.result()).toBe("job");
  held.open();
  await first.result();
});

it("does not wake up an instance that is blocked", async () => {
  let isBroken = false;
  let runs = 0;
  const flow = defineWorkflow("flow", async (ctx) => {
    runs++;
    await (isBroken ? ctx.sleep(1) : ctx.subscribe("mail", "direct"));
    return (await ctx.receive("mail")).data;
  });
  const app = await startApp({ workflows: [flow], maxParkedInstances: 0 });
  const handle = await flow.start(app);
  await until(async () => (await handle.status()) === "waiting");
  isBroken = true;
  await app.sendTo(handle.id, "mail", "first");
  await until(async () => (await handle.status()) === "blocked");
  const before = runs;
  await app.sendTo(handle.id, "mail", "second");
  const [row] = await testDatabase().rows("select wake_at, status from romancy_instances");
  expect(row).toEqual({ wake_at: null, status: "blocked" });
  expect(runs).toBe(before);
  // Fixed code gets all that was sent meanwhile.
  isBroken = false;
  await app.shutdown();
  const next = await startApp({ workflows: [flow] });
  expect(await next.handle(flow, handle.id).result()).toBe("first");
});
