import { readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { beforeEach, describe, expect, it } from "vitest";
import { defineWorkflow, type HistoryEntry, type Romancy } from "../../src/index.ts";
import { databaseFile, startApp } from "../support/apps.ts";
import { until } from "../support/wait.ts";
import { type Child, run } from "./child.ts";

/** As in fixtures/fleet.ts, for its type and name only. */
const fleet = defineWorkflow("fleet", (_, n: number) => n);

const resultOf = (from: number): number => {
  const n = from + 2;
  return (n + 1) * 2 + 1;
};

beforeEach(() => {
  const database = new DatabaseSync(databaseFile());
  database.exec(
    "pragma journal_mode = wal; create table rows (instance text, step text, primary key (instance, step))",
  );
  database.close();
});

const worker = (options: object = {}): Child => run("fleet", databaseFile(), JSON.stringify(options));

async function allResults(client: Romancy, count: number): Promise<number[]> {
  return Promise.all(Array.from({ length: count }, (_, n) => client.handle(fleet, `fleet-${n}`).result()));
}

function rowCount(): unknown {
  const database = new DatabaseSync(databaseFile());
  const [row] = database.prepare("select count(*) as n from rows").all();
  database.close();
  return row?.["n"];
}

/** All that is recorded as completed, as `instance operation`. */
async function completed(client: Romancy, count: number): Promise<Set<string>> {
  const histories = await Promise.all(
    Array.from({ length: count }, async (_, n): Promise<[string, HistoryEntry[]]> => {
      const id = `fleet-${n}`;
      return [id, await client.getHistory(id)];
    }),
  );
  const entries = histories.flatMap(([id, history]) =>
    history.filter(({ kind }) => kind === "activity_completed").map(({ operationId }) => `${id} ${operationId}`),
  );
  return new Set(entries);
}

/** What the program ran although it was recorded before the program began. */
function ranAgain(child: Child, recorded: ReadonlySet<string>): string[] {
  return child.lines.map((line) => line.replace("ran ", "")).filter((line) => recorded.has(line));
}

describe("a fleet on one file", () => {
  it("finishes everything although its worker is killed again and again", { timeout: 120_000 }, async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const random = generator(seed);
    const count = 30;
    const client = await startApp({ worker: false });
    let child = worker();
    await child.line("ready");
    child.send(`start 0 ${count}`);
    await child.line("started");
    let recorded = new Set<string>();
    const again: string[] = [];
    for (let kill = 0; kill < 5; kill++) {
      await child.count(child.lines.length + 1 + Math.floor(random() * 40));
      await child.kill();
      again.push(...ranAgain(child, recorded));
      recorded = await completed(client, count);
      child = worker();
      await child.line("ready");
    }
    const results = await allResults(client, count);
    again.push(...ranAgain(child, recorded));
    expect(again, `seed ${seed}: recorded activities that ran again`).toEqual([]);
    expect(results, `seed ${seed}`).toEqual(Array.from({ length: count }, (_, n) => resultOf(n)));
    expect(rowCount()).toBe(2 * count);
  });

  it("is worked on by two processes, and by the one that is left when the other is killed", async () => {
    const count = 60;
    const [first, second] = [worker({ maxConcurrentInstances: 10 }), worker({ maxConcurrentInstances: 10 })];
    await Promise.all([first.line("ready"), second.line("ready")]);
    const client = await startApp({ worker: false });
    for (let n = 0; n < count; n++) await fleet.with({ id: `fleet-${n}` }).start(client, n);
    await Promise.all([first.count(20), second.count(20)]);
    await first.kill();
    expect(await allResults(client, count)).toEqual(Array.from({ length: count }, (_, n) => resultOf(n)));
    expect(rowCount()).toBe(2 * count);
    const pids = new Set(
      readFileSync(`${databaseFile()}.effects`, "utf8")
        .trim()
        .split("\n")
        .map((line) => line.split(" ")[2]),
    );
    expect(pids.size).toBe(2);
  });

  it("lets a stopped worker lose its lease, and refuses what it writes when it comes back", async () => {
    const options = { leaseDuration: 600, staleWorkerCheckInterval: 100 };
    const first = worker(options);
    await first.line("ready");
    first.send("hold a-short");
    await first.line("holding a-short");
    first.signal("SIGSTOP");
    const second = worker(options);
    await second.line("holding a-short");
    const client = await startApp({ worker: false });
    await until(async () => (await client.getInstance("a-short")).status === "completed");
    const history = await client.getHistory("a-short");
    first.signal("SIGCONT");
    // It notices, starts afresh, and goes on working; what it had in hand is not written.
    first.send("hold b-short");
    await until(async () => {
      const instances = (await client.listInstances({ workflow: "endless", status: "completed" })).instances;
      return instances.length === 2;
    });
    expect(await client.getHistory("a-short")).toEqual(history);
    expect(history).toHaveLength(1);
  });

  it("hands over at shutdown: the activity is aborted, another worker goes on", async () => {
    const [first, second] = [worker({ shutdownTimeout: 20 }), worker()];
    await Promise.all([first.line("ready"), second.line("ready")]);
    first.send("hold long");
    await first.line("holding long");
    first.send("shutdown");
    await first.line("aborted");
    expect(await first.exited).toBe(0);
    await second.line("holding long");
  });

  it("lets a worker id be taken by its successor at once, and by nobody else", async () => {
    const first = worker({ workerId: "the-one" });
    await first.line("ready");
    const rival = worker({ workerId: "the-one" });
    await rival.line("refused DuplicateNameError");
    await first.kill();
    await worker({ workerId: "the-one" }).line("ready");
  });

  it("migrates a new file that eight processes open at once", async () => {
    const file = databaseFile("new.db");
    const children = Array.from({ length: 8 }, () => run("fleet", file));
    await Promise.all(children.map((child) => child.line("ready")));
    const client = await startApp({ database: file, worker: false });
    expect((await client.listInstances()).instances).toEqual([]);
  });
});

/** A small generator of random numbers (mulberry32), so that a seed gives the same kills again. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
