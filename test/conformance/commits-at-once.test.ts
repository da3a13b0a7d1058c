/** Batches of one worker that are on their way together, where a store takes two at once: they must not harm each other. */
import { describe, expect, it } from "vitest";
import { NO_SEAMS } from "../../src/engine/seams.ts";
import { defineActivity, defineWorkflow, type Hooks, type Romancy, type WorkflowContext } from "../../src/index.ts";
import { recordingLogger, startApp } from "../support/apps.ts";
import { recordingHooks } from "../support/facts.ts";
import { until } from "../support/wait.ts";

/** Instances, so many that there are two batches' worth. */
const MANY = 270;

/** Messages that each of them is sent, and sends. */
const NUMBERS = [0, 1];

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

/** Has all of them talk, and hear of one event; gives what came of each. */
async function talkAll(app: Romancy): Promise<readonly unknown[]> {
  const idOf = (n: number): string => `i-${n % MANY}`;
  const handles = await Promise.all(
    Array.from({ length: MANY }, (_, n) => talker.with({ id: idOf(n) }).start(app, idOf(n + 1))),
  );
  const event = { type: "go", source: "test", data: "go" };
  await Promise.all(NUMBERS.map((n) => app.sendEvent({ ...event, id: `go-${n}` })));
  return Promise.all(handles.map((handle) => handle.result()));
}

const got = [...NUMBERS, ...NUMBERS];
const EXPECTED = Array.from({ length: MANY }, () => ({ got, told: "go", ended: got.length }));

describe("batches on their way together", () => {
  it("keep each sender's order and lose nothing, while others begin, end, hear of events and are cancelled", async () => {
    const logger = recordingLogger();
    const app = await startApp({ workflows: [talker, child, listener], logger, publisher: () => {} });
    const listeners = await Promise.all(Array.from({ length: 4 }, () => listener.start(app)));
    const results = talkAll(app);
    await Promise.all(listeners.map(({ id }) => app.cancel(id)));
    expect(await results).toEqual(EXPECTED);
    await Promise.all(listeners.map((handle) => expect(handle.result()).rejects.toThrow("cancelled")));
    expect(logger.lines.filter(({ level }) => level === "warn" || level === "error")).toEqual([]);
  }, 60_000);

  it("do everything once, and tell of it once, when answers to some of them are lost", async () => {
    const { hooks, of } = recordingHooks();
    let commits = 0;
    let lost = 0;
    const seams: typeof NO_SEAMS = {
      ...NO_SEAMS,
      commit: async (_, write) => {
        const result = await write();
        if (++commits % 7 !== 0) return result;
        lost++;
        throw new Error("The answer was lost.");
      },
    };
    const sent: string[] = [];
    const publisher = (event: { readonly id: string }): void => void sent.push(event.id);
    const app = await startApp({ workflows: [talker, child], publisher, hooks, "~seams": seams });
    expect(await talkAll(app)).toEqual(EXPECTED);
    await until(() => new Set(sent).size === MANY * got.length);
    await app.shutdown();
    expect(lost).toBeGreaterThan(0);
    expect(sent).toHaveLength(MANY * got.length);
    const told = { onWorkflowStart: 2, onWorkflowComplete: 2, onRecur: 1, onEventWaitStart: got.length + 2 };
    for (const [name, times] of Object.entries(told)) expectEach(of(name as keyof Hooks), times * MANY);
    expect(of("onActivityComplete")).toHaveLength((got.length + 1) * MANY);
    expect(of("onRunStart")).toHaveLength(of("onRunEnd").length);
  }, 60_000);
});

/** So many facts, no two of them of the same thing. */
function expectEach(facts: readonly Readonly<Record<string, unknown>>[], count: number): void {
  const things = facts.map(({ instanceId, operationId = "" }) => `${String(instanceId)} ${String(operationId)}`);
  expect(things).toHaveLength(count);
  expect(new Set(things).size).toBe(count);
}
