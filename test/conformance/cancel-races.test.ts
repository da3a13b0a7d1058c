/**
 * Cancels that come at the very moment at which their instances do something else, from an app without a worker, with
 * two workers: what a cancel was answered is what has become of the instance.
 */
import { beforeEach, expect, it } from "vitest";
import {
  defineActivity,
  defineWorkflow,
  InstanceNotCancellableError,
  type Romancy,
  TerminalError,
  type Workflow,
} from "../../src/index.ts";
import { dice, seed } from "../crash/random.ts";
import { startApp, testDatabase } from "../support/apps.ts";
import { type Gate, gate, until } from "../support/wait.ts";

const INSTANCES = 60;

/** One for each instance: it goes on when its gate is opened. */
let gates: Map<string, Gate>;
/** How often each instance's work was done, less how often it was undone. */
let work: Map<string, number>;
let begun: number;

beforeEach(() => {
  gates = new Map();
  work = new Map();
  begun = 0;
});

function add(id: string, by: number): void {
  work.set(id, (work.get(id) ?? 0) + by);
}

const step = defineActivity("step", (ctx) => add(ctx.instanceId, 1), {
  compensation: (ctx) => add(ctx.instanceId, -1),
});

const held = defineActivity(
  "held",
  async (ctx, id: string) => {
    begun++;
    await gates.get(id)?.opened;
    add(ctx.instanceId, 1);
  },
  { compensation: (ctx) => add(ctx.instanceId, -1) },
);

const completes = defineWorkflow("completes", async (ctx, id: string): Promise<void> => {
  await step(ctx);
  await held(ctx, id);
});

const fails = defineWorkflow("fails", async (ctx, id: string): Promise<void> => {
  await completes.fn(ctx, id);
  throw new TerminalError("no");
});

const suspends = defineWorkflow("suspends", async (ctx, id: string): Promise<void> => {
  await completes.fn(ctx, id);
  await ctx.sleep(5);
  await step(ctx);
});

const recurs = defineWorkflow("recurs", async (ctx, id: string): Promise<void> => {
  const [gateOf = "", left = "3"] = id.split("/");
  if (left === "3") await held(ctx, gateOf);
  await step(ctx);
  if (left !== "0") return ctx.recur(`${gateOf}/${Number(left) - 1}`);
});

/** Set aside, and claimed by either worker when its event comes. */
const wakes = defineWorkflow("wakes", async (ctx, id: string): Promise<void> => {
  await step(ctx);
  await ctx.waitEvent("go", { key: id });
  await step(ctx);
});

/** The statuses in which the instances have ended, each followed to the last that it went on as. */
async function endings(ids: readonly string[]): Promise<{ id: string; chain: string[]; status: string }[]> {
  const rows = await testDatabase().rows("select id, status, continued_from from romancy_instances");
  const next = new Map(rows.map((row) => [row["continued_from"], String(row["id"])]));
  const statuses = new Map(rows.map((row) => [row["id"], String(row["status"])]));
  return ids.map((id) => {
    const chain = [id];
    for (let last = next.get(id); last !== undefined; last = next.get(last)) chain.push(last);
    return { id, chain, status: statuses.get(chain.at(-1) ?? "") ?? "missing" };
  });
}

async function answerTo(cancelled: Promise<void>): Promise<"cancelled" | "refused"> {
  return cancelled.then(
    () => "cancelled" as const,
    (error: unknown) => {
      expect(error).toBeInstanceOf(InstanceNotCancellableError);
      return "refused" as const;
    },
  );
}

async function turns(count: number): Promise<void> {
  for (let n = 0; n < count; n++) await new Promise((resolve) => setImmediate(resolve));
}

async function race(
  workflow: Workflow<[id: string], void>,
  isReady: (client: Romancy) => Promise<boolean>,
  go: (client: Romancy, id: string) => Promise<void>,
): Promise<void> {
  const roll = dice(seed);
  const workflows = [workflow];
  const options = { workflows, maxConcurrentInstances: INSTANCES, maxConcurrentActivities: INSTANCES };
  await Promise.all([startApp(options), startApp({ ...options, maxParkedInstances: 0 })]);
  const client = await startApp({ worker: false });
  const ids = Array.from({ length: INSTANCES }, (_, n) => `${workflow.name}-${n}`);
  for (const id of ids) gates.set(id, gate());
  const handles = await Promise.all(ids.map((id) => workflow.with({ id }).start(client, id)));
  await until(() => isReady(client));
  const answers = await Promise.all(
    handles.map(async (handle) => {
      const [first, second] = [roll(30) - 1, roll(30) - 1];
      const going = turns(first).then(() => go(client, handle.id));
      await turns(second);
      const answer = await answerTo(handle.cancel("raced"));
      await going;
      return answer;
    }),
  );
  await Promise.all(handles.map((handle) => handle.result().catch(() => {})));
  const ended = await endings(ids);
  const natural = workflow === fails ? "failed" : "completed";
  const expected = ids.map((id, n) => ({ id, status: answers[n] === "cancelled" ? "cancelled" : natural }));
  expect(ended.map(({ id, status }) => ({ id, status }))).toEqual(expected);
  for (const { chain, status } of ended) {
    // What ended otherwise than by its own return has nothing left of what it did.
    const last = work.get(chain.at(-1) ?? "") ?? 0;
    if (status === "completed") expect(last, chain[0]).toBeGreaterThan(0);
    else expect(last, chain[0]).toBe(0);
  }
  // Repeated, each has the answer that it had.
  expect(await Promise.all(handles.map((handle) => answerTo(handle.cancel("again"))))).toEqual(answers);
}

const areHeld = async (): Promise<boolean> => begun === INSTANCES;
const open = async (_: Romancy, id: string): Promise<void> => gates.get(id)?.open();

it.each([
  ["completion", completes],
  ["failure, and the undoing that follows", fails],
  ["suspension", suspends],
  ["recur", recurs],
])(`means what it says against %s (CRASH_SEED=${seed})`, async (_, workflow) => {
  await race(workflow, areHeld, open);
});

it(`means what it says against a claim (CRASH_SEED=${seed})`, async () => {
  const areWaiting = async (client: Romancy): Promise<boolean> =>
    (await client.listInstances({ status: "waiting", limit: INSTANCES })).instances.length === INSTANCES;
  await race(wakes, areWaiting, async (client, id) => {
    await client.sendEvent({ type: "go", source: "test", subject: id });
  });
});

it("ends hundreds at once, each asked for by two", async () => {
  const workflows = [wakes];
  await Promise.all([startApp({ workflows }), startApp({ workflows })]);
  const clients = await Promise.all([startApp({ worker: false }), startApp({ worker: false })]);
  const ids = Array.from({ length: 300 }, (_, n) => `many-${n}`);
  const handles = await Promise.all(ids.map((id) => wakes.with({ id }).start(clients[0], id)));
  await until(async () => (await endings(ids)).every(({ status }) => status === "waiting"));
  await Promise.all(ids.flatMap((id) => clients.map((client, n) => client.cancel(id, `by ${n}`))));
  const ends = await Promise.all(handles.map((handle) => handle.result().catch((error: Error) => error.cause)));
  for (const [n, end] of ends.entries()) {
    expect(end, ids[n]).toMatchObject({ name: "CancelledError", reason: expect.stringMatching(/^by [01]$/) });
  }
  expect((await endings(ids)).filter(({ status }) => status !== "cancelled")).toEqual([]);
  expect([...work.values()]).toEqual(ids.map(() => 0));
});
