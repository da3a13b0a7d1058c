/** Events for a broker, sent by real processes, of which some are killed: none is lost, each comes in its instance's order. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, expect, it } from "vitest";
import { dice, seed } from "../crash/random.ts";
import { startApp, testDatabase } from "../support/apps.ts";
import { countEvents } from "../support/outbox.ts";
import { openSink, type Taken } from "../support/sink.ts";
import { until } from "../support/wait.ts";
import { talker } from "./fixtures/talker.ts";

const program = fileURLToPath(new URL("fixtures/outbox-worker.ts", import.meta.url));

const workers: ChildProcess[] = [];

afterEach(() => {
  for (const worker of workers.splice(0)) worker.kill("SIGKILL");
});

function start(brokerUrl: string): ChildProcess {
  const options = { execArgv: ["--disable-warning=ExperimentalWarning"] };
  const worker = fork(program, [testDatabase().url, brokerUrl], options);
  workers.push(worker);
  return worker;
}

async function ready(brokerUrl: string): Promise<ChildProcess> {
  const worker = start(brokerUrl);
  await once(worker, "message");
  return worker;
}

const allPublished = async (count: number): Promise<boolean> => (await countEvents("status = 'published'")) === count;

const idOf = ({ headers }: Taken): string => String(headers["ce-id"]);

/** What the broker has of each instance, copies left out, in order of first arrival. */
function byInstance(taken: readonly Taken[]): Map<string, number[]> {
  const seen = new Set<string>();
  const lists = new Map<string, number[]>();
  for (const one of taken) {
    const id = idOf(one);
    if (seen.has(id)) continue;
    seen.add(id);
    const [instance = ""] = id.split("/");
    lists.set(instance, [...(lists.get(instance) ?? []), JSON.parse(one.body.toString()) as number]);
  }
  return lists;
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

function expectInOrder(taken: readonly Taken[], instances: readonly string[], count: number): void {
  const lists = byInstance(taken);
  expect([...lists.keys()].toSorted()).toEqual(instances.toSorted());
  for (const list of lists.values()) expect(list).toEqual(upTo(count));
}

it("sends an event again, with the same id, when its sender dies before it is noted that it was sent", async () => {
  let victim: ChildProcess | undefined;
  const sink = await openSink(async (_, n) => {
    if (n === 2 && victim) {
      victim.kill("SIGKILL");
      await once(victim, "exit");
    }
    return 204;
  });
  victim = await ready(sink.url);
  const client = await startApp({ worker: false });
  await talker.with({ id: "t-1" }).start(client, 8);
  await once(victim, "exit");
  await ready(sink.url);
  await until(() => allPublished(8));
  const ids = sink.ids();
  expect(ids[1]).toBe("t-1/say:1/2");
  // What was on its way, and perhaps what had arrived a moment before.
  expect(ids.filter((id) => id === "t-1/say:1/2")).toHaveLength(2);
  expect(ids.length).toBeLessThanOrEqual(10);
  expect(byInstance(sink.taken)).toEqual(new Map([["t-1", upTo(8)]]));
});

it("sends each event once while several workers live", { timeout: 60_000 }, async () => {
  const sink = await openSink();
  await Promise.all([ready(sink.url), ready(sink.url), ready(sink.url)]);
  const client = await startApp({ worker: false });
  const names = upTo(30).map((n) => `t-${n}`);
  await Promise.all(names.map((id) => talker.with({ id }).start(client, 20)));
  await until(() => allPublished(600));
  expect(sink.taken).toHaveLength(600);
  expectInOrder(sink.taken, names, 20);
  expect(new Set(sink.ids()).size).toBe(600);
});

it(`loses none when workers are killed and the broker fails (CRASH_SEED=${seed})`, { timeout: 120_000 }, async () => {
  const roll = dice(seed);
  const sink = await openSink(() => (roll(10) === 1 ? 503 : 204));
  for (let n = 0; n < 3; n++) start(sink.url);
  const client = await startApp({ worker: false });
  const names = upTo(20).map((n) => `t-${n}`);
  await Promise.all(names.map((id) => talker.with({ id }).start(client, 20)));
  for (let kills = 0; kills < 6 && !(await allPublished(400)); kills++) {
    await Promise.race([wait(100 + roll(300)), until(() => allPublished(400))]);
    workers.splice(roll(3) - 1, 1)[0]?.kill("SIGKILL");
    start(sink.url);
  }
  await until(() => allPublished(400));
  expectInOrder(sink.taken, names, 20);
});

it("hands over at shutdown at once", async () => {
  const sink = await openSink();
  const first = await ready(sink.url);
  const client = await startApp({ worker: false });
  await (await talker.with({ id: "t-1" }).start(client, 20)).result();
  const exited = once(first, "exit");
  first.send("shutdown");
  await exited;
  expect(await countEvents("claimed_by is not null")).toBe(0);
  await ready(sink.url);
  await until(() => allPublished(20));
  expect(sink.taken).toHaveLength(20);
});
