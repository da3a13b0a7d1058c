/** Several workers on one database, in one process: what each takes, and how they hear of each other. */
import { describe, expect, it } from "vitest";
import { defineActivity, defineWorkflow, type Romancy } from "../../src/index.ts";
import { startApp, testDatabase } from "../support/apps.ts";
import { gate, until } from "../support/wait.ts";

const step = defineActivity("step", (_, n: number) => n + 1);
const flow = defineWorkflow("flow", (ctx, n: number) => step(ctx, n));

describe("several workers", () => {
  it("take no more than they have room for, and all of it together", async () => {
    const held = gate();
    const running = new Map<string, number>();
    let most = 0;
    const hold = defineActivity("hold", async (_, n: number) => {
      await held.opened;
      return n;
    });
    const work = defineWorkflow("work", (ctx, n: number) => hold(ctx, n));
    const count = async (app: Romancy): Promise<number> =>
      (await app.listInstances({ status: "running" })).instances.filter(({ workerId }) => workerId === app.workerId)
        .length;
    const client = await startApp({ worker: false });
    const handles = await Promise.all(Array.from({ length: 20 }, (_, n) => work.start(client, n)));
    const apps = await Promise.all([1, 2].map(() => startApp({ workflows: [work], maxConcurrentInstances: 5 })));
    await until(async () => {
      for (const app of apps) running.set(app.workerId, await count(app));
      most = Math.max(most, ...running.values());
      return [...running.values()].every((n) => n === 5);
    });
    held.open();
    expect(await Promise.all(handles.map((handle) => handle.result()))).toEqual(handles.map((_, n) => n));
    expect(most).toBe(5);
  });

  it("go on with what another one hands over, with what it recorded", async () => {
    const held = gate();
    const runs: string[] = [];
    const first = defineActivity("first", (ctx) => void runs.push(ctx.activityId));
    const hold = defineActivity("hold", async (ctx) => {
      runs.push(`${ctx.activityId} on ${ctx.attempt}`);
      if (runs.length === 2) await held.opened;
    });
    const work = defineWorkflow("work", async (ctx) => {
      await first(ctx);
      await hold(ctx);
      return "done";
    });
    const one = await startApp({ workflows: [work], shutdownTimeout: 0 });
    const handle = await work.start(one);
    await until(() => runs.length === 2);
    const two = await startApp({ workflows: [work] });
    await one.shutdown();
    expect(await two.handle(work, handle.id).result()).toBe("done");
    expect(runs).toEqual(["first:1", "hold:1 on 1", "hold:1 on 1"]);
    held.open();
  });

  it("start one id at the same moment only once", async () => {
    const apps = await Promise.all([1, 2, 3].map(() => startApp({ workflows: [flow] })));
    const handles = await Promise.all(
      Array.from({ length: 30 }, (_, n) => flow.with({ id: `same-${n % 5}` }).start(apps[n % 3] as Romancy, n % 5)),
    );
    expect(await Promise.all(handles.map((handle) => handle.result()))).toEqual(handles.map((_, n) => (n % 5) + 1));
    const [row] = await testDatabase().rows("select count(*) as n from romancy_history");
    expect(row).toEqual({ n: 5 });
  });

  it("refuse an id that a living worker has", async () => {
    await startApp({ workflows: [flow], workerId: "one" });
    await expect(startApp({ workflows: [flow], workerId: "one" })).rejects.toThrow("Another living worker");
  });
});
