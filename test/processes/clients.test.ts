/** Two clients that start one id at the same moment. */
import { beforeEach, expect, it } from "vitest";
import { defineActivity, defineWorkflow, InstanceConflictError, type Workflow } from "../../src/index.ts";
import { startApp, testDatabase } from "../support/apps.ts";

type Flow = Workflow<[number], number>;

/** The instances of which each execution was one. */
let executions: string[] = [];

const step = defineActivity("step", (ctx, n: number) => {
  executions.push(ctx.instanceId);
  return n;
});
const flow: Flow = defineWorkflow("flow", (ctx, n: number) => step(ctx, n));
const other: Flow = defineWorkflow("other", (ctx, n: number) => step(ctx, n));

const IDS = Array.from({ length: 25 }, (_, n) => `order-${n}`);

beforeEach(() => {
  executions = [];
});

/** For each id, what the starts by both clients came to, in any order: the result, or the error. */
async function race(first: readonly [Flow, number], second: readonly [Flow, number]): Promise<unknown[][]> {
  const clients = await Promise.all([first, second].map(() => startApp({ worker: false })));
  await startApp({ workflows: [flow, other] });
  const start = async (id: string, n: number): Promise<unknown> => {
    const [workflow, input] = n === 0 ? first : second;
    try {
      const client = clients[n];
      return client && (await (await workflow.with({ id }).start(client, input)).result());
    } catch (error) {
      return error;
    }
  };
  const outcomes = await Promise.all(IDS.map((id) => Promise.all([start(id, 0), start(id, 1)])));
  const rows = await testDatabase().rows("select id from romancy_instances");
  expect(rows.map(({ id }) => String(id)).toSorted()).toEqual(IDS.toSorted());
  expect(executions.toSorted()).toEqual(IDS.toSorted());
  return outcomes;
}

it("of the same workflow with equal input make one instance, which both have", async () => {
  expect(await race([flow, 7], [flow, 7])).toEqual(IDS.map(() => [7, 7]));
});

it.each([
  ["input", flow],
  ["workflow", other],
])("with another %s make one instance, and who comes second is told so", async (_, second) => {
  for (const outcomes of await race([flow, 1], [second, second === flow ? 2 : 1])) {
    const refused = outcomes.filter((outcome) => outcome instanceof InstanceConflictError);
    const results = outcomes.filter((outcome) => typeof outcome === "number");
    expect([refused.length, results.length]).toEqual([1, 1]);
    if (second === flow) expect(results).toEqual([outcomes[0] === results[0] ? 1 : 2]);
  }
});
