/** kill -9 at points that nobody chose. */
import { expect, it } from "vitest";
import { createPayments, effects, launched, type Program, payments, recorded } from "./process.ts";
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

  expect(payments()).toEqual(
    INSTANCES.flatMap(({ id }) => ["paying:1", "paying:2"].map((step) => ({ instance: id, step }))).toSorted(byRow),
  );
  expect(recorded().size).toBe(INSTANCES.length * 5);
  const executed = effects().map(({ instance, operation, label }) => ({ what: `${instance} ${operation}`, label }));
  expect(executed.filter(({ what, label }) => known[Number(label)]?.has(what))).toEqual([]);
  // And never twice in one life.
  expect(new Set(executed.map(({ what, label }) => `${label} ${what}`)).size).toBe(executed.length);
});

function byRow(a: { instance: string; step: string }, b: { instance: string; step: string }): number {
  const [left, right] = [`${a.instance} ${a.step}`, `${b.instance} ${b.step}`];
  return left < right ? -1 : Number(left > right);
}
