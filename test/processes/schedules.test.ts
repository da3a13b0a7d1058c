/**
 * Senders and receivers whose steps fall together in ways that a seed decides: waits that begin, time out and end while
 * messages of all kinds arrive. On the servers they are in two processes.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setImmediate as soon, setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, expect, it, vi } from "vitest";
import { Housekeeping } from "../../src/engine/housekeeping.ts";
import type { Romancy, WorkflowHandle } from "../../src/index.ts";
import { dice, seed } from "../crash/random.ts";
import { startApp, testDatabase } from "../support/apps.ts";
import { databaseKind } from "../support/database.ts";
import { effort } from "../support/effort.ts";
import { until } from "../support/wait.ts";
import { channelOf, EACH, type Got, KINDS, type Kind, receiver, rival } from "./fixtures/receivers.ts";

/** Schedules at once, and how often. */
const WIDTH = 50;
const ROUNDS = (databaseKind === "sqlite" ? 24 : 4) * effort;

const program = fileURLToPath(new URL("fixtures/receivers-worker.ts", import.meta.url));

let child: ChildProcess | undefined;

afterEach(() => {
  child?.kill("SIGKILL");
  child = undefined;
  vi.restoreAllMocks();
});

/** Gives the app that starts and sends; receivers run in it, or in a process of their own. */
async function startReceivers(maxParkedInstances: number): Promise<Romancy> {
  if (databaseKind === "sqlite") {
    vi.spyOn(Housekeeping.prototype, "rouseAll").mockResolvedValue();
    return startApp({ workflows: [receiver, rival], maxParkedInstances });
  }
  const client = await startApp({ worker: false });
  child = fork(program, [testDatabase().url, String(maxParkedInstances)], {
    execArgv: ["--disable-warning=ExperimentalWarning"],
  });
  await once(child, "message");
  return client;
}

async function subscriptions(): Promise<number> {
  const [row] = await testDatabase().rows("select count(*) as n from romancy_channel_subscriptions");
  return Number(row?.["n"]);
}

const texts = (kind: Kind): string[] =>
  Array.from({ length: kind === "competing" ? 2 * EACH : EACH }, (_, n) => `${kind} ${n}`);

/** Sends all of one kind, in order, with pauses that the dice decide. */
async function send(
  app: Romancy,
  kind: Kind,
  schedule: number,
  id: string,
  roll: (n: number) => number,
): Promise<void> {
  const channel = channelOf(kind, schedule);
  const sent: Promise<unknown>[] = [];
  for (const text of texts(kind)) {
    const pause = roll(6);
    if (pause > 3) await wait(pause - 3);
    else for (let turn = 1; turn < pause; turn++) await soon();
    if (kind === "event") sent.push(app.sendEvent({ type: "told", source: "test", data: text }, { instanceId: id }));
    else if (kind === "direct") sent.push(app.sendTo(id, channel, text));
    else sent.push(app.publish(channel, text));
    // Without waiting, too: what one has sent keeps its order.
    if (roll(2) === 1) await sent.at(-1);
  }
  await Promise.all(sent);
}

interface Pair {
  readonly one: WorkflowHandle<Got>;
  readonly two: WorkflowHandle<string[]>;
}

async function check({ one, two }: Pair): Promise<void> {
  const got = await one.result();
  const rest = await two.result();
  for (const kind of ["broadcast", "direct", "event"] as const) expect(got[kind]).toEqual(texts(kind));
  // Each of those who compete has its own in order, and both together have all.
  for (const list of [got.competing, rest]) expect(list).toEqual(list.toSorted());
  expect([...got.competing, ...rest].toSorted()).toEqual(texts("competing"));
}

it.each([1_000, 0])(
  `lose nothing and deliver nothing twice (%i parked, CRASH_SEED=${seed})`,
  {
    timeout: 120_000 * effort,
  },
  async (maxParkedInstances) => {
    const app = await startReceivers(maxParkedInstances);
    const roll = dice(seed);
    for (let round = 0; round < ROUNDS; round++) {
      const first = round * WIDTH;
      const pairs: Pair[] = [];
      for (let schedule = first; schedule < first + WIDTH; schedule++) {
        const one = await receiver.start(app, schedule, roll(1_000_000));
        pairs.push({ one, two: await rival.start(app, schedule, roll(1_000_000)) });
      }
      // What is published before they have subscribed is not for them.
      await until(async () => (await subscriptions()) === 4 * WIDTH);
      await Promise.all(
        pairs.flatMap(({ one }, n) => KINDS.map((kind) => send(app, kind, first + n, one.id, dice(roll(1_000_000))))),
      );
      await Promise.all(pairs.map(check));
      expect(await subscriptions()).toBe(0);
    }
  },
);
