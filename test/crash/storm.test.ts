/** kill -9 at points that nobody chose. */
import { expect, it } from "vitest";
import { createPayments, effects, launched, type Program, payments, recorded } from "./child.ts";
import { dice, seed } from "./random.ts";

const INSTANCES = Array.from({ length: 30 }, (_, n) => ({ id: `storm-${n}`, n }));
const KILLS = 5;
/** Lines that each life prints at most; all lives together fewer than the executions there are, so that none is the last. */
const LINES = 25;

const expected = (n: number): number => {
  const b = (n + 1) * 2;
  return b + 1 + b * 2 + 1;
};

/** Starts are idempotent: every life asks for all of them. */
async function newLife(life: number): Promise<Program> {
  const program = await launched("storm", { label: String(life) });
  for (const { id, n } of INSTANCES) program.start("storm", id, n);
  return program;
}

it(`finishes ${INSTANCES.length} instances although it is killed ${KILLS} times (CRASH_SEED=${seed})`, async () => {
  const roll = dice(seed);
  createPayments(", unique (instance, step)");
  /** For each life, what was recorded when it began. */
  const known: Set<string>[] = [new Set()];
  for (let life = 0; life < KILLS; life++) {
    const program = await newLife(life);
    await program.count(program.lines.length + roll(LINES));
    await program.kill();
    known.push(recorded());
  }
  const last = await newLife(KILLS);
  for (const { id, n } of INSTANCES) {
    expect(JSON.parse(await last.line(`result ${id}`)), id).toBe(expected(n));
  }
  await last.shutdown();

  expect(payments()).toEqual(allPayments());
  expect(recorded().size).toBe(INSTANCES.length * 5);
  const executed = effects().map(({ instance, operation, label }) => ({ what: `${instance} ${operation}`, label }));
  expect(executed.filter(({ what, label }) => known[Number(label)]?.has(what))).toEqual([]);
  // And never twice in one life.
  expect(new Set(executed.map(({ what, label }) => `${label} ${what}`)).size).toBe(executed.length);
});

it(`finishes them among three workers, one of which is killed and replaced ${KILLS} times (CRASH_SEED=${seed})`, async () => {
  const roll = dice(seed + 1);
  createPayments(", unique (instance, step)");
  const client = await launched("storm", { options: { worker: false } });
  const few = { maxConcurrentInstances: 4, staleWorkerCheckInterval: "50ms" } as const;
  const newWorker = (): Promise<Program> => launched("storm", { options: few });
  const workers = await Promise.all([newWorker(), newWorker(), newWorker()]);
  for (const { id, n } of INSTANCES) client.start("storm", id, n);
  for (let kill = 0; kill < KILLS; kill++) {
    const victim = workers[roll(workers.length) - 1];
    if (!victim) throw new Error("The dice are loaded.");
    // It may get nothing more to do; then it is the client that counts.
    await Promise.race([victim.count(victim.lines.length + roll(10)), client.count(2 * INSTANCES.length)]);
    await victim.kill();
    workers[workers.indexOf(victim)] = await newWorker();
  }
  for (const { id, n } of INSTANCES) {
    expect(JSON.parse(await client.line(`result ${id}`)), id).toBe(expected(n));
  }
  expect(payments()).toEqual(allPayments());
  expect(recorded().size).toBe(INSTANCES.length * 5);
  await Promise.all([...workers, client].map((program) => program.shutdown()));
});

function allPayments(): { instance: string; step: string }[] {
  const rows = INSTANCES.flatMap(({ id }) => ["paying:1", "paying:2"].map((step) => ({ instance: id, step })));
  return rows.toSorted(byRow);
}

function byRow(a: { instance: string; step: string }, b: { instance: string; step: string }): number {
  const [left, right] = [`${a.instance} ${a.step}`, `${b.instance} ${b.step}`];
  return left < right ? -1 : Number(left > right);
}
