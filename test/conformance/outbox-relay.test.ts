/** What becomes of events that are sent: order, tries, giving up, and what operators can do. */
import { describe, expect, it } from "vitest";
import {
  type Delivery,
  defineActivity,
  defineWorkflow,
  PublishError,
  type ReceivedEvent,
  type Romancy,
  type RomancyOptions,
  TerminalError,
  ValidationError,
} from "../../src/index.ts";
import { createApp, recordingLogger, startApp, testDatabase } from "../support/apps.ts";
import { countEvents, entries, recorder, settled, statuses } from "../support/outbox.ts";
import { gate, until } from "../support/wait.ts";

/** Sends events of these ids, one after the other. */
const sender = defineWorkflow("sender", async (ctx, ids: string[]) => {
  for (const id of ids) await ctx.sendEvent({ type: "tick", id });
});

/** The same in one commit. */
const burst = defineActivity("burst", async (ctx, ids: string[]) => {
  for (const id of ids) await ctx.sendEvent({ type: "tick", id });
});
const burster = defineWorkflow("burster", (ctx, ids: string[]) => burst(ctx, ids));

const workflows = [sender, burster];
const quickly = { initialInterval: 1, maxInterval: 1, jitter: 0 } as const;

const named = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, n) => `${prefix}-${n}`);

const startRelayer = (outbox: RomancyOptions["outbox"], more: Partial<RomancyOptions> = {}): Promise<Romancy> =>
  startApp({ workflows, ...more, outbox: outbox ?? {} });

/** Sends it from an instance of its own. */
async function send(app: Romancy, ...ids: string[]): Promise<void> {
  await (await burster.start(app, ids)).result();
}

describe("the events of an instance", () => {
  it("go out in order, one after the other, and those of others beside them", async () => {
    const sent: string[] = [];
    let most = 0;
    const busy = new Set<string>();
    const publisher = async ({ id }: ReceivedEvent<unknown>, { instanceId }: Delivery): Promise<void> => {
      expect(busy.has(instanceId), instanceId).toBe(false);
      busy.add(instanceId);
      most = Math.max(most, busy.size);
      await new Promise((resolve) => setImmediate(resolve));
      busy.delete(instanceId);
      sent.push(id);
    };
    const app = await startRelayer({ publisher, batchSize: 7, concurrency: 3 });
    const names = named("i", 6);
    await Promise.all(
      names.map(async (name, n) => {
        const workflow = n % 2 === 0 ? sender : burster;
        await (await workflow.with({ id: name }).start(app, named(name, 20))).result();
      }),
    );
    await settled(app, 120);
    expect(sent).toHaveLength(120);
    for (const name of names) expect(sent.filter((id) => id.startsWith(`${name}-`))).toEqual(named(name, 20));
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(3);
  });

  it("wait for one that is tried again, and others do not", async () => {
    const sent: string[] = [];
    const opened = gate();
    let isOpen = false;
    void opened.opened.then(() => {
      isOpen = true;
    });
    const publisher = async ({ id }: ReceivedEvent<unknown>): Promise<void> => {
      if (id === "a-0" && !isOpen) throw new Error("not yet");
      sent.push(id);
    };
    const app = await startRelayer({ publisher, retry: quickly });
    await send(app, ...named("a", 3));
    await send(app, ...named("b", 3));
    await until(() => sent.length === 3);
    expect(sent).toEqual(named("b", 3));
    opened.open();
    await settled(app, 6);
    expect(sent).toEqual([...named("b", 3), ...named("a", 3)]);
    expect((await entries(app))[0]).toMatchObject({ id: "a-0", status: "published", lastError: "not yet" });
  });

  it("do not wait for one that was given up", async () => {
    const sent: string[] = [];
    const publisher = ({ id }: ReceivedEvent<unknown>): void => {
      if (id === "a-1") throw new TerminalError("no such topic");
      if (id === "a-2") throw new Error("full");
      sent.push(id);
    };
    const app = await startRelayer({ publisher, retry: { ...quickly, maxAttempts: 3 } });
    await send(app, ...named("a", 4));
    expect(await settled(app, 4)).toMatchObject([
      { status: "published", attempts: 1, lastError: undefined },
      { status: "invalid", attempts: 1, lastError: "TerminalError: no such topic", publishedAt: undefined },
      { status: "failed", attempts: 3, lastError: "full" },
      { status: "published" },
    ]);
    expect(sent).toEqual(["a-0", "a-3"]);
  });
});

describe("an event that cannot be sent", () => {
  it("keeps its attempts and the time of its next one when the worker is another", async () => {
    const failing = await startRelayer({
      publisher: () => {
        throw new PublishError("later", { retryAfter: 3_600_000 });
      },
    });
    await send(failing, "a");
    await until(async () => (await entries(failing))[0]?.attempts === 1);
    const [before] = await entries(failing);
    expect(before).toMatchObject({ status: "pending", lastError: "later" });
    expect(Number(before?.nextAttemptAt) - Number(before?.createdAt)).toBeGreaterThan(3_500_000);
    await failing.shutdown();
    const sent = recorder();
    const app = await startRelayer({ publisher: sent.publisher });
    await send(app, "b");
    await until(() => sent.ids().length === 1);
    expect(sent.ids()).toEqual(["b"]);
    expect((await entries(app))[0]).toEqual(before);
    expect(await app.outbox.retry("a")).toBe(1);
    await settled(app, 2);
    expect(sent.ids()).toEqual(["b", "a"]);
  });

  it("expires", async () => {
    const publisher = (): void => {
      throw new Error("away");
    };
    const app = await startRelayer({ publisher, maxAge: 100, retry: quickly });
    await send(app, "a");
    expect(await settled(app, 1)).toMatchObject([{ status: "expired", lastError: "away" }]);
  });

  it("expires without a try when nobody was there to send it for so long", async () => {
    const client = await startRelayer({});
    await send(client, "a");
    await testDatabase().exec(
      "update romancy_outbox set queued_at = queued_at - 1000000, created_at = created_at - 1000000",
    );
    const sent = recorder();
    const app = await startRelayer({ publisher: sent.publisher, maxAge: "10m" });
    expect(await settled(app, 1)).toMatchObject([{ status: "expired", attempts: 0 }]);
    expect(sent.ids()).toEqual([]);
    // Its age is counted anew.
    expect(await app.outbox.retry({ status: "expired" })).toBe(1);
    expect(await statuses(app, 1)).toEqual(["published"]);
  });

  it("does not block others when it hangs, and its signal is aborted", async () => {
    const signals: AbortSignal[] = [];
    const sent: string[] = [];
    const publisher = async ({ id }: ReceivedEvent<unknown>, { signal }: Delivery): Promise<void> => {
      if (id !== "a") return void sent.push(id);
      signals.push(signal);
      await new Promise(() => {});
    };
    const app = await startRelayer({ publisher, timeout: 30, retry: { ...quickly, maxAttempts: 2 }, concurrency: 2 });
    await send(app, "a");
    await send(app, "b");
    expect(await settled(app, 2)).toMatchObject([
      { status: "failed", attempts: 2, lastError: "The broker did not answer within 30 ms." },
      { status: "published" },
    ]);
    expect(sent).toEqual(["b"]);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
  });
});

describe("the relayer", () => {
  it("holds no more than a batch", async () => {
    const opened = gate();
    let started = 0;
    const publisher = async (): Promise<void> => {
      started++;
      await opened.opened;
    };
    const app = await startRelayer({ publisher, batchSize: 3, concurrency: 2 });
    await Promise.all(named("e", 10).map((id) => send(app, id)));
    await until(async () => (await countEvents("claimed_by is not null")) === 3);
    expect(started).toBe(2);
    opened.open();
    await settled(app, 10);
  });

  it("sends what another process has written", async () => {
    const sent = recorder();
    const app = await startRelayer({ publisher: sent.publisher });
    const other = await startApp({ workflows });
    await send(other, "a");
    await settled(app, 1);
    expect(sent.ids()).toEqual(["a"]);
  });

  it("lets what is on its way arrive at shutdown, gives back the rest, and closes the publisher", async () => {
    const [opened, begun] = [gate(), gate()];
    const sent: string[] = [];
    let closed = 0;
    const publisher = {
      async publish({ id }: ReceivedEvent<unknown>): Promise<void> {
        begun.open();
        await opened.opened;
        sent.push(id);
      },
      close: async (): Promise<void> => void closed++,
    };
    const app = await startRelayer({ publisher, concurrency: 1 });
    await send(app, "a", "b");
    await send(app, "c");
    await begun.opened;
    const down = app.shutdown();
    opened.open();
    await down;
    expect(sent).toEqual(["a"]);
    expect(closed).toBe(1);
    expect(await countEvents("claimed_by is not null")).toBe(0);
    expect(await countEvents("status = 'published'")).toBe(1);
    await app.start();
    await settled(app, 3);
    expect(sent.toSorted()).toEqual(["a", "b", "c"]);
  });

  it("gives back what does not arrive within the patience of the shutdown", async () => {
    const begun = gate();
    const publisher = async (_: unknown, { signal }: Delivery): Promise<void> => {
      begun.open();
      await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    };
    const app = await startRelayer({ publisher }, { shutdownTimeout: 20 });
    await send(app, "a");
    await begun.opened;
    await app.shutdown();
    expect(await countEvents("claimed_by is null and status = 'pending' and attempts = 0")).toBe(1);
  });

  it("of a client sends nothing", async () => {
    const sent = recorder();
    const app = await startApp({ workflows });
    const client = await startApp({ worker: false, outbox: { publisher: sent.publisher } });
    await send(app, "a");
    expect(await client.outbox.list()).toMatchObject({ events: [{ id: "a", status: "pending" }] });
    expect(sent.ids()).toEqual([]);
  });

  it("says what it could not send", async () => {
    const logger = recordingLogger();
    const publisher = (): void => {
      throw new Error("full");
    };
    const app = await startRelayer({ publisher, retry: { ...quickly, maxAttempts: 2 } }, { logger });
    await send(app, "a");
    await settled(app, 1);
    const data = expect.objectContaining({ eventId: "a", error: "full" });
    expect(logger.lines).toContainEqual(expect.objectContaining({ level: "warn", data }));
    expect(logger.lines).toContainEqual(expect.objectContaining({ level: "error", data }));
  });
});

describe("app.outbox", () => {
  it("lists by status and instance, page by page", async () => {
    const app = await startRelayer({
      publisher: ({ id }) => {
        if (id.endsWith("2")) throw new TerminalError("no");
      },
    });
    for (const name of ["x", "y"]) await (await burster.with({ id: name }).start(app, named(name, 4))).result();
    await settled(app, 8);
    const idsOf = async (filter: Parameters<Romancy["outbox"]["list"]>[0]): Promise<string[]> =>
      (await app.outbox.list(filter)).events.map(({ id }) => id);
    expect(await idsOf({ status: "invalid" })).toEqual(["x-2", "y-2"]);
    expect(await idsOf({ instanceId: "y" })).toEqual(named("y", 4));
    expect(await idsOf({ instanceId: "y", status: "invalid" })).toEqual(["y-2"]);
    const first = await app.outbox.list({ limit: 3 });
    expect(first.hasMore).toBe(true);
    const rest = await app.outbox.list({ pageToken: first.nextPageToken ?? "" });
    expect([...first.events, ...rest.events].map(({ id }) => id)).toEqual([...named("x", 4), ...named("y", 4)]);
    expect(rest).not.toHaveProperty("nextPageToken");
  });

  it("retries by id, by status, by instance, or all that was given up, and nothing that is published", async () => {
    let isAway = true;
    const app = await startRelayer({
      publisher: ({ id }) => {
        if (isAway && id !== "ok") throw id.startsWith("bad") ? new TerminalError("no") : new Error("away");
      },
      retry: false,
    });
    await (await burster.with({ id: "x" }).start(app, ["bad-1", "a", "ok"])).result();
    await (await burster.with({ id: "y" }).start(app, ["bad-2", "b"])).result();
    expect(await statuses(app, 5)).toEqual(["invalid", "failed", "published", "invalid", "failed"]);
    isAway = false;
    expect(await app.outbox.retry("ok")).toBe(0);
    expect(await app.outbox.retry("a")).toBe(1);
    expect(await statuses(app, 5)).toEqual(["invalid", "published", "published", "invalid", "failed"]);
    expect(await app.outbox.retry({ instanceId: "x" })).toBe(1);
    expect(await app.outbox.retry({ status: "invalid" })).toBeLessThanOrEqual(2);
    expect(await app.outbox.retry()).toBe(1);
    expect(new Set(await statuses(app, 5))).toEqual(new Set(["published"]));
    expect((await entries(app))[0]).toMatchObject({ attempts: 1 });
  });

  it("sends nothing again when it is asked for by a name that a filter does not have", async () => {
    const app = await startRelayer({ publisher: () => Promise.reject(new TerminalError("no")) });
    await send(app, "a");
    expect(await statuses(app, 1)).toEqual(["invalid"]);
    const retried = app.outbox.retry({ statuses: ["failed"] } as never);
    await expect(retried).rejects.toThrow('A filter has no "statuses". It can have: status, instanceId.');
    expect(await entries(app)).toMatchObject([{ status: "invalid", attempts: 1 }]);
    expect(await app.outbox.retry({ status: undefined, instanceId: undefined } as never)).toBe(1);
  });

  it("refuses filters that are none", async () => {
    const app = await startRelayer({});
    for (const filter of [{ status: "sent" }, { limit: 0 }, { limit: 1_001 }, { pageToken: "x" }]) {
      await expect(app.outbox.list(filter as never)).rejects.toThrow(ValidationError);
    }
    await expect(app.outbox.retry({ status: "published" as never })).rejects.toThrow(ValidationError);
    await expect(app.outbox.list({ statuses: ["failed"] } as never)).rejects.toThrow('A filter has no "statuses"');
    for (const filter of [null, 7, ["a"], { instanceId: 7 }, { id: "a" }]) {
      await expect(app.outbox.list(filter as never)).rejects.toThrow(ValidationError);
      await expect(app.outbox.retry(filter as never)).rejects.toThrow(ValidationError);
    }
    await expect(createApp().outbox.list()).rejects.toThrow("not started");
  });
});

describe("the options of the outbox", () => {
  it.each([
    [{ brokerUrl: "ftp://x" }, "http://"],
    [{ brokerUrl: "nowhere" }, "http://"],
    [{ brokerUrl: "http://user:secret@x/" }, "authorization"],
    [{ brokerUrl: "http://x", publisher: () => {} }, "one of them"],
    [{ brokerUrl: "http://x", mode: "batch" }, "outbox.mode"],
    [{ brokerUrl: "http://x", headers: { "a b": "c" } }, "outbox.headers"],
    [{ brokerUrl: "http://x", headers: 7 }, "outbox.headers"],
    [{ publisher: () => {}, mode: "binary" }, "outbox.mode is for a brokerUrl"],
    [{ headers: {} }, "outbox.headers is for a brokerUrl"],
    [{ publisher: {} }, "outbox.publisher"],
    [{ timeout: "soon" }, "outbox.timeout"],
    [{ timeout: 0 }, "outbox.timeout"],
    [{ batchSize: 0 }, "outbox.batchSize"],
    [{ concurrency: 1.5 }, "outbox.concurrency"],
    [{ retry: { maxAttempts: 0 } }, "retry.maxAttempts"],
    [{ maxAge: -1 }, "outbox.maxAge"],
    [{ retention: "x" }, "outbox.retention"],
    ["http://x", "outbox must be"],
  ])("are refused: %j", (outbox, message) => {
    expect(() => createApp({ outbox: outbox as never })).toThrow(ValidationError);
    expect(() => createApp({ outbox: outbox as never })).toThrow(message);
  });
});
