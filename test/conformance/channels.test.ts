import { describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { Housekeeping } from "../../src/engine/housekeeping.ts";
import {
  ActivityError,
  ChannelModeConflictError,
  ChannelNotSubscribedError,
  ChannelTimeoutError,
  defineActivity,
  defineWorkflow,
  InstanceFinishedError,
  InstanceNotFoundError,
  type Romancy,
  SerializationError,
  ValidationError,
  type WorkflowHandle,
} from "../../src/index.ts";
import { startApp, testDatabase } from "../support/apps.ts";
import { placeholders } from "../support/database.ts";
import { gate, until } from "../support/wait.ts";

const job = z.object({ n: z.number() });

/** Subscribes, and gives the first so many messages. */
const listen = defineWorkflow("listen", async (ctx, mode: "broadcast" | "competing" | "direct", count: number) => {
  await ctx.subscribe("news", mode);
  const got: unknown[] = [];
  while (got.length < count) got.push((await ctx.receive("news")).data);
  return got;
});

async function waiting(...handles: WorkflowHandle<unknown>[]): Promise<void> {
  await until(async () => {
    const statuses = await Promise.all(handles.map((handle) => handle.status()));
    return statuses.every((status) => status === "waiting");
  });
}

async function count(table: string, where = "1 = 1"): Promise<number> {
  const [row] = await testDatabase().rows(`select count(*) as n from ${table} where ${where}`);
  return Number(row?.["n"]);
}

/** With and without replay: what waits is kept in memory, or forgotten at once. */
const kept = [1_000, 0];

describe.each(kept)("a broadcast channel (%i parked)", (maxParkedInstances) => {
  it("gives every message to every subscriber, in order", async () => {
    const app = await startApp({ workflows: [listen], maxParkedInstances });
    const handles = await Promise.all([1, 2, 3].map(() => listen.start(app, "broadcast", 5)));
    await waiting(...handles);
    for (const n of [1, 2, 3, 4, 5]) await app.publish("news", n);
    for (const handle of handles) expect(await handle.result()).toEqual([1, 2, 3, 4, 5]);
    expect(await count("romancy_channel_subscriptions")).toBe(0);
    expect(await count("romancy_inbox")).toBe(0);
  });

  it("keeps what comes while the subscriber does something else, and gives nothing from before", async () => {
    const held = gate();
    let isBusy = false;
    const work = defineActivity("work", async () => {
      isBusy = true;
      await held.opened;
    });
    const flow = defineWorkflow("flow", async (ctx) => {
      await ctx.subscribe("news", "broadcast");
      await work(ctx);
      return [(await ctx.receive("news")).data, (await ctx.receive("news")).data];
    });
    const app = await startApp({ workflows: [flow], maxParkedInstances });
    await app.publish("news", "early");
    const handle = await flow.start(app);
    await until(() => isBusy);
    await app.publish("news", "one");
    await app.publish("news", "two");
    held.open();
    expect(await handle.result()).toEqual(["one", "two"]);
  });
});

describe("a message", () => {
  it("comes with all that was sent, and says who sent it", async () => {
    const flow = defineWorkflow("flow", async (ctx) => {
      await ctx.subscribe("news", "direct");
      return ctx.receive<{ at: Date }>("news");
    });
    const sender = defineWorkflow("sender", (ctx, to: string) =>
      ctx.sendTo(to, "news", { at: new Date(5) }, { metadata: { urgent: true, tags: ["a"] }, id: "m-1" }),
    );
    const app = await startApp({ workflows: [flow, sender] });
    const handle = await flow.start(app);
    const sending = await sender.start(app, handle.id);
    expect(await sending.result()).toEqual({ id: "m-1" });
    const message = await handle.result();
    expect(message).toEqual({
      id: "m-1",
      channel: "news",
      data: { at: new Date(5) },
      metadata: { urgent: true, tags: ["a"] },
      senderInstanceId: sending.id,
      publishedAt: expect.any(Date),
    });
  });

  it("of the same id is delivered once", async () => {
    const app = await startApp({ workflows: [listen] });
    const all = await listen.start(app, "broadcast", 2);
    await waiting(all);
    for (const id of ["a", "a", "b", "a"]) await app.publish("news", id, { id });
    expect(await all.result()).toEqual(["a", "b"]);
  });

  it("of the same id is taken once", async () => {
    const app = await startApp({ workflows: [listen] });
    const one = await listen.start(app, "competing", 3);
    await waiting(one);
    for (const id of ["a", "a"]) await app.publish("news", id, { id });
    await until(async () => (await count("romancy_channel_messages", "taken_at is null")) === 0);
    for (const id of ["a", "b", "c"]) await app.publish("news", id, { id });
    expect(await one.result()).toEqual(["a", "b", "c"]);
  });

  it("that cannot be stored is refused, and nothing is sent", async () => {
    const app = await startApp({ workflows: [] });
    await expect(app.publish("news", () => 1)).rejects.toBeInstanceOf(SerializationError);
    await expect(app.publish("", 1)).rejects.toBeInstanceOf(ValidationError);
    await expect(app.publish("news", 1, { metadata: { at: new Date() } })).rejects.toBeInstanceOf(SerializationError);
    await expect(app.publish("news", 1, { metadata: [] as never })).rejects.toBeInstanceOf(ValidationError);
    expect(await count("romancy_channel_messages")).toBe(0);
  });

  it("is checked by the schema, and the failure can be caught", async () => {
    const flow = defineWorkflow("flow", async (ctx) => {
      await ctx.subscribe("jobs", "direct");
      const bad = await ctx.receive("jobs", { schema: job }).catch((error: unknown) => error);
      return [bad instanceof ValidationError, (await ctx.receive("jobs", { schema: job })).data.n];
    });
    const app = await startApp({ workflows: [flow] });
    const handle = await flow.start(app);
    await app.sendTo(handle.id, "jobs", { n: "many" });
    await app.sendTo(handle.id, "jobs", { n: 7 });
    expect(await handle.result()).toEqual([true, 7]);
  });
});

describe("a direct channel", () => {
  it("keeps what is sent from the instance's birth on, before it has subscribed", async () => {
    const held = gate();
    const work = defineActivity("work", () => held.opened);
    const flow = defineWorkflow("flow", async (ctx) => {
      await work(ctx);
      await ctx.subscribe("mail", "direct");
      return [(await ctx.receive("mail")).data, (await ctx.receive("mail")).data];
    });
    const app = await startApp({ workflows: [flow] });
    const handle = await flow.start(app);
    await app.sendTo(handle.id, "mail", "one");
    held.open();
    await waiting(handle);
    await app.sendTo(handle.id, "mail", "two");
    expect(await handle.result()).toEqual(["one", "two"]);
  });

  it("refuses what comes too late or to nobody, with errors that can be caught and are the same on replay", async () => {
    const done = defineWorkflow("done", () => "done");
    const runs: string[] = [];
    const flow = defineWorkflow("flow", async (ctx, ended: string) => {
      const late = await ctx.sendTo(ended, "mail", 1).catch((error: unknown) => error);
      const lost = await ctx.sendTo("nobody", "mail", 1).catch((error: unknown) => error);
      const kinds = [late instanceof InstanceFinishedError, lost instanceof InstanceNotFoundError];
      runs.push(String(kinds));
      await ctx.waitEvent("end");
      return kinds;
    });
    const app = await startApp({ workflows: [done, flow], maxParkedInstances: 0 });
    const ended = await done.start(app);
    await ended.result();
    const handle = await flow.start(app, ended.id);
    await waiting(handle);
    await app.sendEvent({ type: "end", source: "test" });
    expect(await handle.result()).toEqual([true, true]);
    expect(runs).toEqual(["true,true", "true,true"]);
    await expect(app.sendTo(ended.id, "mail", 1)).rejects.toBeInstanceOf(InstanceFinishedError);
    await expect(app.sendTo("nobody", "mail", 1)).rejects.toBeInstanceOf(InstanceNotFoundError);
  });
});

describe.each(kept)("a competing channel (%i parked)", (maxParkedInstances) => {
  it("gives each message to one subscriber", async () => {
    const app = await startApp({ workflows: [listen], maxParkedInstances });
    const handles = await Promise.all([1, 2, 3, 4].map(() => listen.start(app, "competing", 10)));
    await waiting(...handles);
    const all = Array.from({ length: 40 }, (_, n) => n);
    for (const n of all) await app.publish("news", n);
    const got = (await Promise.all(handles.map((handle) => handle.result()))).flat();
    expect(got.toSorted((a, b) => Number(a) - Number(b))).toEqual(all);
  });

  it("keeps messages until somebody comes who takes them", async () => {
    const app = await startApp({ workflows: [listen], maxParkedInstances });
    for (const n of [1, 2, 3]) await app.publish("news", n);
    expect(await (await listen.start(app, "competing", 3)).result()).toEqual([1, 2, 3]);
    await app.publish("news", 4);
    expect(await (await listen.start(app, "competing", 1)).result()).toEqual([4]);
  });

  it("takes turns among those who wait", async () => {
    const app = await startApp({ workflows: [listen], maxParkedInstances });
    const handles: WorkflowHandle<unknown[]>[] = [];
    for (let n = 0; n < 3; n++) {
      const handle = await listen.start(app, "competing", 2);
      await waiting(handle);
      handles.push(handle);
    }
    for (let n = 0; n < 6; n++) {
      await app.publish("news", n);
      await until(async () => (await count("romancy_channel_messages", "taken_at is null")) === 0);
      // One that ends has another called for what it may have been called for, and that is not this test's.
      await handles[n - 3]?.result();
      const open = handles.filter((_, index) => n < 3 + index);
      await waiting(...open);
    }
    const got = await Promise.all(handles.map((handle) => handle.result()));
    expect(got).toEqual([
      [0, 3],
      [1, 4],
      [2, 5],
    ]);
  });

  it("is received from several times at once by one instance", async () => {
    const twice = defineWorkflow("twice", async (ctx) => {
      await ctx.subscribe("news", "competing");
      const both = await Promise.all([ctx.receive("news"), ctx.receive("news")]);
      return both.map(({ data }) => data);
    });
    const late = defineWorkflow("late", async (ctx) => {
      await ctx.subscribe("news", "competing");
      const [message, nothing] = await Promise.all([
        ctx.receive("news"),
        ctx.receive("news", { timeout: 20 }).catch((error: unknown) => error instanceof ChannelTimeoutError),
      ]);
      return [message.data, nothing];
    });
    const app = await startApp({ workflows: [twice, late], maxParkedInstances });
    await app.publish("news", 1);
    const first = await twice.start(app);
    await waiting(first);
    await app.publish("news", 2);
    expect(await first.result()).toEqual([1, 2]);
    const second = await late.start(app);
    await until(async () => (await app.getHistory(second.id)).some(({ kind }) => kind === "wait_timed_out"));
    await waiting(second);
    await app.publish("news", 3);
    expect(await second.result()).toEqual([3, true]);
  });

  it("passes on what the one that was called does not take any more", async () => {
    const impatient = defineWorkflow("impatient", async (ctx) => {
      await ctx.subscribe("news", "competing");
      const nothing = await ctx.receive("news", { timeout: 20 }).catch((error: unknown) => error);
      await ctx.unsubscribe("news");
      return nothing instanceof ChannelTimeoutError;
    });
    const app = await startApp({ workflows: [listen, impatient], maxParkedInstances });
    for (let n = 0; n < 5; n++) {
      const first = await impatient.start(app);
      // Where the database is slow, its time may be up already.
      await until(async () => ["waiting", "completed"].includes(await first.status()));
      const second = await listen.start(app, "competing", 1);
      await waiting(second);
      // About when the first one's time is up: whoever is called, one of them has it, and nothing is left.
      await new Promise((resolve) => setTimeout(resolve, n * 4));
      await app.publish("news", n);
      if (await first.result()) expect(await second.result()).toEqual([n]);
      else {
        await app.publish("news", "next");
        expect(await second.result()).toEqual(["next"]);
      }
    }
    expect(await count("romancy_channel_messages", "taken_at is null")).toBe(0);
  });

  it("leaves to the next receive what comes after the timeout", async () => {
    const flow = defineWorkflow("flow", async (ctx) => {
      await ctx.subscribe("news", "competing");
      const error = await ctx.receive("news", { timeout: 10 }).catch((failure: unknown) => failure);
      const { data } = await ctx.receive("news");
      return [error instanceof ChannelTimeoutError && error.channel, data];
    });
    const app = await startApp({ workflows: [flow], maxParkedInstances });
    const handle = await flow.start(app);
    await until(async () => (await app.getHistory(handle.id)).some(({ kind }) => kind === "wait_timed_out"));
    await app.publish("news", "late");
    expect(await handle.result()).toEqual(["news", "late"]);
  });
});

describe("a channel's mode", () => {
  it("is one at a time, with an error that can be caught and is the same on replay", async () => {
    const flow = defineWorkflow("flow", async (ctx) => {
      const error = await ctx.subscribe("news", "competing").catch((failure: unknown) => failure);
      await ctx.sleep(1);
      return error instanceof ChannelModeConflictError && [error.channel, error.mode];
    });
    const app = await startApp({ workflows: [listen, flow], maxParkedInstances: 0 });
    const first = await listen.start(app, "broadcast", 1);
    await waiting(first);
    expect(await (await flow.start(app)).result()).toEqual(["news", "broadcast"]);
    await app.publish("news", 1);
    await first.result();
    // Nobody uses it any more.
    expect(await (await flow.start(app)).result()).toBe(false);
  });

  it("cannot be changed while there are messages for one to take", async () => {
    const app = await startApp({ workflows: [listen] });
    await app.publish("news", 1);
    await app.publish("news", 2);
    expect(await (await listen.start(app, "competing", 1)).result()).toEqual([1]);
    const error = await (await listen.start(app, "broadcast", 1)).result().catch((failure: Error) => failure.cause);
    expect(error).toBeInstanceOf(ChannelModeConflictError);
  });

  it("does not concern direct subscribers", async () => {
    const app = await startApp({ workflows: [listen] });
    const all = await listen.start(app, "broadcast", 1);
    const one = await listen.start(app, "direct", 1);
    await waiting(all, one);
    await app.publish("news", "for all");
    await app.sendTo(one.id, "news", "for one");
    expect([await all.result(), await one.result()]).toEqual([["for all"], ["for one"]]);
  });
});

describe("receive", () => {
  it.each(kept)("needs a subscription (%i parked)", async (maxParkedInstances) => {
    const flow = defineWorkflow("flow", async (ctx) => {
      const before = await ctx.receive("news").catch((error: unknown) => error);
      await ctx.subscribe("news", "broadcast");
      await ctx.subscribe("news", "broadcast");
      await ctx.unsubscribe("news");
      const after = await ctx.receive("news").catch((error: unknown) => error);
      await ctx.sleep(1);
      return [before, after].map((error) => error instanceof ChannelNotSubscribedError && error.channel);
    });
    const app = await startApp({ workflows: [flow], maxParkedInstances });
    expect(await (await flow.start(app)).result()).toEqual(["news", "news"]);
  });

  it("tells what it waits for", async () => {
    const app = await startApp({ workflows: [listen] });
    const one = await listen.start(app, "competing", 1);
    await waiting(one);
    expect((await one.describe()).waitingFor).toEqual([
      { kind: "channel", operationId: "receive:1", until: undefined, channel: "news", mode: "competing" },
    ]);
  });

  it("can race timers, activities and waits of other kinds, and the same one wins on replay", async () => {
    const winners: string[] = [];
    const slow = defineActivity("slow", () => new Promise<void>(() => {}));
    const flow = defineWorkflow("flow", async (ctx) => {
      await ctx.subscribe("jobs", "competing");
      await ctx.subscribe("news", "broadcast");
      const winner = await Promise.race([
        ctx.receive("news").then(() => "news"),
        ctx.sleep("1h").then(() => "slept"),
        ctx.waitEvent("event").then(() => "event"),
        ctx.receive<string>("jobs").then(({ data }) => data),
        slow(ctx).then(() => "worked"),
      ]);
      winners.push(winner);
      await ctx.waitEvent("end");
      return winner;
    });
    const options = { workflows: [flow], shutdownTimeout: 0 };
    const first = await startApp(options);
    const handle = await flow.start(first);
    await until(
      async () => (await first.getHistory(handle.id)).filter(({ kind }) => kind === "wait_started").length >= 3,
    );
    await first.publish("jobs", "a job");
    await until(() => winners.length === 1);
    await until(async () =>
      (await first.getHistory(handle.id)).some(({ operationId }) => operationId === "wait_event:2"),
    );
    await first.shutdown();
    const second = await startApp(options);
    await until(() => winners.length === 2);
    await second.sendEvent({ type: "end", source: "test" });
    expect(winners).toEqual(["a job", "a job"]);
  });
});

describe("what workflows send", () => {
  it("is sent once, whatever is replayed", async () => {
    const chatty = defineWorkflow("chatty", async (ctx) => {
      const ids: string[] = [];
      for (let n = 0; n < 5; n++) {
        ids.push((await ctx.publish("news", n)).id);
        await ctx.sleep(1);
      }
      return ids;
    });
    const app = await startApp({ workflows: [listen, chatty], maxParkedInstances: 0 });
    const all = await listen.start(app, "broadcast", 5);
    await waiting(all);
    const ids = await (await chatty.start(app)).result();
    expect(new Set(ids).size).toBe(5);
    expect(await all.result()).toEqual([0, 1, 2, 3, 4]);
  });

  it("goes out with the end, even if nobody awaited it", async () => {
    const hasty = defineWorkflow("hasty", (ctx) => void ctx.publish("news", "bye"));
    const app = await startApp({ workflows: [listen, hasty] });
    const all = await listen.start(app, "broadcast", 1);
    await waiting(all);
    await hasty.start(app);
    expect(await all.result()).toEqual(["bye"]);
  });
});

it("has who begins to wait at that moment called, even if what goes along reaches somebody", async () => {
  const roused = vi.spyOn(Housekeeping.prototype, "rouse");
  const both = defineWorkflow("both", async (ctx, to: string) => {
    await Promise.all([ctx.publish("jobs", { n: 1 }), ctx.sendTo(to, "mail", "hello")]);
  });
  const app = await startApp({ workflows: [both, listen] });
  const one = await listen.start(app, "direct", 1);
  await until(async () => (await one.status()) === "waiting");
  await (await both.start(app, one.id)).result();
  await until(() => roused.mock.calls.some(([channel]) => channel === "jobs"));
  roused.mockRestore();
});

describe("what activities send", () => {
  const INSERT = placeholders("insert into sent (id) values (?)");

  const flowOf = (body: Parameters<typeof defineActivity>[1]): ReturnType<typeof defineWorkflow> => {
    const act = defineActivity("act", body, { retry: false });
    return defineWorkflow("flow", (ctx) => act(ctx)) as never;
  };

  async function listening(flow: ReturnType<typeof defineWorkflow>): Promise<[Romancy, WorkflowHandle<unknown[]>]> {
    await testDatabase().exec("create table sent (id varchar(50) primary key)");
    const app = await startApp({ workflows: [listen, flow] });
    const all = await listen.start(app, "broadcast", 2);
    await waiting(all);
    return [app, all];
  }

  it("goes out with its record, with or without a session", async () => {
    const withSession = defineActivity("with_session", async (ctx) => {
      await ctx.session.query(INSERT, ["a"]);
      await ctx.publish("news", "with");
    });
    const without = defineActivity("without", async (ctx) => void (await ctx.publish("news", "without")));
    const flow = defineWorkflow("flow", async (ctx) => {
      await withSession(ctx);
      await without(ctx);
    });
    const [app, all] = await listening(flow as never);
    await (await flow.start(app)).result();
    expect(await all.result()).toEqual(["with", "without"]);
  });

  it("does not go out when the attempt fails", async () => {
    const flow = flowOf(async (ctx) => {
      await ctx.session.query(INSERT, ["a"]);
      await ctx.publish("news", "never");
      throw new Error("undo");
    });
    const [app, all] = await listening(flow);
    await expect((await flow.start(app)).result()).rejects.toThrow("undo");
    await app.publish("news", 1);
    await app.publish("news", 2);
    expect(await all.result()).toEqual([1, 2]);
    expect(await count("sent")).toBe(0);
  });

  it.each(["with", "without"])(
    "to nobody fails the attempt, and nothing else of it stands (%s a session)",
    async (how) => {
      const flow = flowOf(async (ctx) => {
        if (how === "with") await ctx.session.query(INSERT, ["a"]);
        await ctx.publish("news", "never");
        await ctx.sendTo("nobody", "news", "never");
      });
      const [app, all] = await listening(flow);
      const error = await (await flow.start(app)).result().catch((failure: Error) => failure.cause);
      expect(error).toBeInstanceOf(ActivityError);
      expect((error as ActivityError).cause).toBeInstanceOf(InstanceNotFoundError);
      await app.publish("news", 1);
      await app.publish("news", 2);
      expect(await all.result()).toEqual([1, 2]);
      expect(await count("sent")).toBe(0);
    },
  );
});

describe("groups", () => {
  const member = defineWorkflow("member", async (ctx) => {
    await ctx.joinGroup("crew");
    await ctx.joinGroup("crew");
    await ctx.subscribe("orders", "direct");
    return (await ctx.receive("orders")).data;
  });
  const members = defineWorkflow("members", async (ctx) => {
    const ids = await ctx.groupMembers("crew");
    await ctx.sleep(1);
    return ids;
  });

  it("have members, who all get what is published to them, and leave when they end", async () => {
    const captain = defineWorkflow("captain", (ctx) => ctx.publishToGroup("crew", "orders", "sail"));
    const app = await startApp({ workflows: [member, members, captain], maxParkedInstances: 0 });
    const handles = await Promise.all([1, 2, 3].map(() => member.start(app)));
    await waiting(...handles);
    expect(await (await members.start(app)).result()).toEqual(handles.map(({ id }) => id).toSorted());
    await (await captain.start(app)).result();
    for (const handle of handles) expect(await handle.result()).toBe("sail");
    expect(await (await members.start(app)).result()).toEqual([]);
  });

  it("can be left", async () => {
    const flow = defineWorkflow("flow", async (ctx) => {
      await ctx.joinGroup("crew");
      const before = await ctx.groupMembers("crew");
      await ctx.leaveGroup("crew");
      return [before.length, (await ctx.groupMembers("crew")).length];
    });
    const app = await startApp({ workflows: [flow] });
    expect(await (await flow.start(app)).result()).toEqual([1, 0]);
  });
});

describe("messages that an activity has the app send", () => {
  it.each(["commits", "fails"])("are part of its session's transaction, when it %s", async (how) => {
    const app = await startApp();
    const act = defineActivity(
      "act",
      async (ctx) => {
        await ctx.session.begin();
        await app.publish("news", "published");
        await app.sendEvent({ type: "told", source: "test" });
        if (how === "fails") throw new Error("undo");
      },
      { retry: false },
    );
    const flow = defineWorkflow("flow", (ctx) => act(ctx));
    const hearing = defineWorkflow("hearing", async (ctx) => (await ctx.waitEvent<string>("told")).type);
    app.register(flow, hearing, listen);
    const all = await listen.start(app, "broadcast", 1);
    const told = await hearing.start(app);
    await waiting(all, told);
    await (await flow.start(app)).result().catch(() => {});
    if (how === "fails") {
      await app.publish("news", "other");
      await app.sendEvent({ type: "told", source: "other" });
    }
    expect([await all.result(), await told.result()]).toEqual([[how === "fails" ? "other" : "published"], "told"]);
  });
});

describe("a competing subscriber", () => {
  it("gets what is sent to it alone, too", async () => {
    const app = await startApp({ workflows: [listen], maxParkedInstances: 0 });
    const one = await listen.start(app, "competing", 3);
    await app.sendTo(one.id, "news", "early");
    await until(async () => (await app.getHistory(one.id)).some(({ kind }) => kind === "message_received"));
    await waiting(one);
    await app.publish("news", "job");
    await until(async () => (await count("romancy_channel_messages", "taken_at is null")) === 0);
    await app.sendTo(one.id, "news", "late");
    expect(await one.result()).toEqual(["early", "job", "late"]);
  });
});
