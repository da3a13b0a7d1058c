/** Batches of one worker that are on their way together, where a store takes two at once: they must not harm each other. */
import { describe, expect, it } from "vitest";
import { defineActivity, defineWorkflow, type WorkflowContext } from "../../src/index.ts";
import { recordingLogger, startApp } from "../support/apps.ts";

/** Instances, so many that there is more than one batch's worth. */
const MANY = 150;

/** Messages that each of them is sent, and sends. */
const NUMBERS = [0, 1, 2];

const step = defineActivity("step", (_, n: number) => n);
const child = defineWorkflow("child", (ctx, n: number) => step(ctx, n));

/** Sends to the next one of a circle, and gives what it has received itself. */
async function talk(ctx: WorkflowContext, other: string): Promise<number[]> {
  const got: number[] = [];
  for (const n of NUMBERS) {
    await ctx.sendTo(other, "mail", n);
    await step(ctx, n);
    await ctx.sendEvent({ type: "told", data: n });
    await ctx.publish("news", n);
    got.push((await ctx.receive<number>("mail")).data);
  }
  return got;
}

const talker = defineWorkflow(
  "talker",
  async (ctx, other: string, before: number[] = []): Promise<unknown> => {
    await ctx.subscribe("mail", "direct");
    const got = [...before, ...(await talk(ctx, other))];
    if (before.length === 0) return ctx.recur(other, got);
    const [told, ended] = await Promise.all([ctx.waitEvent<string>("go"), child(ctx, got.length)]);
    return { got, told: told.data, ended };
  },
  { events: ["go"] },
);

/** Hears all that is published, until it is cancelled. */
const listener = defineWorkflow("listener", async (ctx) => {
  await ctx.subscribe("news", "broadcast");
  for (;;) await ctx.receive("news");
});

describe("batches on their way together", () => {
  it("keep each sender's order and lose nothing, while others begin, end, hear of events and are cancelled", async () => {
    const logger = recordingLogger();
    const app = await startApp({ workflows: [talker, child, listener], logger, publisher: () => {} });
    const listeners = await Promise.all(Array.from({ length: 4 }, () => listener.start(app)));
    const idOf = (n: number): string => `i-${n % MANY}`;
    const handles = await Promise.all(
      Array.from({ length: MANY }, (_, n) => talker.with({ id: idOf(n) }).start(app, idOf(n + 1))),
    );
    const event = { type: "go", source: "test", data: "go" };
    await Promise.all(NUMBERS.map((n) => app.sendEvent({ ...event, id: `go-${n}` })));
    await Promise.all(listeners.map(({ id }) => app.cancel(id)));
    const results = await Promise.all(handles.map((handle) => handle.result()));
    const got = [...NUMBERS, ...NUMBERS];
    expect(results).toEqual(handles.map(() => ({ got, told: "go", ended: got.length })));
    await Promise.all(listeners.map((handle) => expect(handle.result()).rejects.toThrow("cancelled")));
    expect(logger.lines.filter(({ level }) => level === "warn" || level === "error")).toEqual([]);
  }, 60_000);
});
