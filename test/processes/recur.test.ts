/** An instance that goes on as another again and again, while its workers are killed. */
import { type ChildProcess, fork } from "node:child_process";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import type { Romancy } from "../../src/index.ts";
import { dice, seed } from "../crash/random.ts";
import { startApp, testDatabase } from "../support/apps.ts";
import { until } from "../support/wait.ts";
import { MESSAGES, taker } from "./fixtures/taker.ts";
import { Kills } from "./kills.ts";

const WORKERS = 2;
const KILLS = 12;
/** Of the messages of a kind, that are sent between two kills at most, so that a fast machine is not done before them. */
const SHARE = 8;

const program = fileURLToPath(new URL("fixtures/taker-worker.ts", import.meta.url));

/** Sends all of each kind, to the first of the chain and to whoever it is by now. */
async function sendAll(client: Romancy, roll: (sides: number) => number, kills: () => number): Promise<void> {
  for (let n = 0; n < MESSAGES; n++) {
    await until(() => kills() >= Math.floor(n / SHARE));
    await client.publish("news", n);
    await client.sendTo("first", "mail", n);
    await client.sendTo("first", "crew", n);
    await client.sendEvent({ type: "paid", source: "psp", id: String(n), data: n });
    await wait(roll(80));
  }
}

it(`makes one chain that has every message once (CRASH_SEED=${seed})`, { timeout: 90_000 }, async () => {
  const client = await startApp({ worker: false });
  const start = (): ChildProcess =>
    fork(program, [testDatabase().url], { execArgv: ["--disable-warning=ExperimentalWarning"] });
  const workers = Array.from({ length: WORKERS }, start);
  try {
    const handle = await taker.with({ id: "first" }).start(client, null);
    await until(async () => (await handle.status()) === "waiting");
    await client.sendEvent({ type: "go", source: "test" });
    const result = handle.result();
    const roll = dice(seed);
    const kills = new Kills();
    const sent = sendAll(client, dice(roll(1_000_000)), () => kills.count);
    await kills.run({ workers, start, roll, pause: 500, most: KILLS, over: sent });
    await sent;
    const all = Array.from({ length: MESSAGES }, (_, n) => n);
    expect(await result).toEqual({ news: all, mail: all, crew: all, paid: all });
    await checkChain();
  } finally {
    for (const child of workers) child.kill("SIGKILL");
  }
});

/** One after the other from the first, all of them gone on but the last, and nobody else. */
async function checkChain(): Promise<void> {
  const members = await testDatabase().rows(
    `select c.chain_id, c.generation, c.instance_id, i.status, i.continued_from
     from romancy_chains c join romancy_instances i on i.id = c.instance_id order by c.generation`,
  );
  const [row] = await testDatabase().rows("select count(*) as n from romancy_instances");
  expect(members).toHaveLength(Number(row?.["n"]));
  for (const [index, member] of members.entries()) {
    expect(member).toMatchObject({
      chain_id: "first",
      status: index < members.length - 1 ? "recurred" : "completed",
      continued_from: index === 0 ? null : members[index - 1]?.["instance_id"],
    });
    expect(Number(member["generation"])).toBe(index);
  }
}
